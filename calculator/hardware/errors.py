"""What a reader may have asked of the hardware that cannot be."""

from __future__ import annotations


class HardwareError(ValueError):
    """An impossible question: `field` is at fault, `key` is the reason (`terms.ERRORS`), `values` fill its message."""

    def __init__(self, field: str, key: str, **values: object) -> None:
        self.field, self.key, self.values = field, key, values
        super().__init__(f"{field}: {key} {values}")


def check_bounds(field: str, value: int, least: int, most: int) -> None:
    """Raise `HardwareError` unless `least` <= `value` <= `most`."""
    if not least <= value <= most:
        raise HardwareError(field, "out_of_bounds", value=value, least=least, most=most)
