"""The numbers of the rule, which pages print too: away from the fit, so that a page loads nothing to compute with."""

NOISE = 0.08
"""Expected misfit of one score, as a share of the scale: where the loss turns from square to linear."""
ABILITY_PRIOR, DIFFICULTY_PRIOR, SLOPE_PRIOR, OFFSET_PRIOR = 0.3, 0.075, 4.0, 4.0

MIN_ITEMS_PER_MODEL, MIN_MODELS_PER_ITEM = 4, 8

MIN_SHARED, SHARE_WON = 6, 0.8
"""Tests that two models must have in common, suites counted once, and the share of them that one must win."""
