"""How much one cached value takes."""

from __future__ import annotations

from fractions import Fraction

from calculator.hardware.errors import HardwareError
from calculator.memory.blocks import BLOCKS


def element_bytes(kv_format: str) -> Fraction:
    """Bytes of one cached value, block scales included.

    >>> element_bytes("q8_0"), element_bytes("fp8_e4m3")
    (Fraction(17, 16), Fraction(1, 1))
    """
    name = kv_format.upper()
    if name.startswith("FP8"):
        return Fraction(1)
    block = BLOCKS.get({"FP16": "F16", "FP32": "F32"}.get(name, name))
    if block is None:
        raise HardwareError("kv_format", "unknown", value=kv_format, offered=tuple(BLOCKS))
    return Fraction(block.bytes, block.elements)
