"""GGML storage types: every row of a tensor is a whole number of blocks of one size.

Source: `GGML_QUANT_SIZES` in llama.cpp's `gguf-py/gguf/constants.py` and the structs in `ggml/src/ggml-common.h`.
"""

from __future__ import annotations

from typing import NamedTuple


class Block(NamedTuple):
    elements: int
    bytes: int


BLOCKS: dict[str, Block] = {
    "F32": Block(1, 4),
    "F16": Block(1, 2),
    "BF16": Block(1, 2),
    "Q8_0": Block(32, 34),
    "Q4_0": Block(32, 18),
    "Q4_1": Block(32, 20),
    "Q5_0": Block(32, 22),
    "Q5_1": Block(32, 24),
    "Q6_K": Block(256, 210),
    "Q5_K": Block(256, 176),
    "Q4_K": Block(256, 144),
    "Q3_K": Block(256, 110),
    "Q2_K": Block(256, 84),
    "IQ4_NL": Block(32, 18),
    "IQ4_XS": Block(256, 136),
    "IQ3_S": Block(256, 110),
    "IQ3_XXS": Block(256, 98),
    "IQ2_S": Block(256, 82),
    "IQ2_XS": Block(256, 74),
    "IQ2_XXS": Block(256, 66),
    "IQ1_M": Block(256, 56),
    "IQ1_S": Block(256, 50),
    "TQ2_0": Block(256, 66),
    "TQ1_0": Block(256, 54),
    "MXFP4": Block(32, 17),
    "NVFP4": Block(64, 36),
    "I32": Block(1, 4),
}


def divides(type_: str, row: int) -> bool:
    """Whether a row of `row` elements is a whole number of blocks."""
    return row % BLOCKS[type_].elements == 0


def row_bytes(type_: str, row: int) -> int:
    """Bytes of `row` elements, which must be a whole number of blocks."""
    block = BLOCKS[type_]
    if row % block.elements:
        raise ValueError(f"{row} elements are not a whole number of {type_} blocks of {block.elements}")
    return row // block.elements * block.bytes
