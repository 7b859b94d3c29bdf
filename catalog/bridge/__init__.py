"""Rows -> the calculator's typed values: a model's shape, an accelerator's card, the catalogue it asks."""
