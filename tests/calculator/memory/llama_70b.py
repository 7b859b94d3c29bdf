"""Llama 3.3 70B, counted from its config.json: what tests of several cards add up."""

from __future__ import annotations

# 80 layers of 64 heads and 8 key/value heads of 128, hidden size 8,192, not tied.
HIDDEN, VOCABULARY = 8_192, 128_256
MATRICES = HIDDEN * (2 * 64 * 128 + 2 * 8 * 128 + 3 * 28_672)  # q and o, k and v, gate, up and down
NORMS = 2 * HIDDEN
TABLE = VOCABULARY * HIDDEN  # token embeddings, and as many for the output layer
CELL = 2 * 8 * 128  # keys and values of a token and layer
TOKENS = 8_192
