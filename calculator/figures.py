"""How numbers are written on every page: grouped digits, GiB for memory, GB for transfers, K for context.

Both languages group digits by three with a comma. Django's own localisation would drop the separator in
Chinese, and `filesizeformat` prints "GB" for 2^30 bytes, so neither is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from math import ceil, log10

from calculator.hardware.cards import GB, GIB


def _fixed(value: Decimal, places: int) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"


def grouped(value: int | None) -> str:
    """A whole number with its digits grouped.

    >>> grouped(1048576)
    '1,048,576'
    """
    return "" if value is None else f"{value:,}"


@lru_cache(maxsize=4096)  # tables show the same sizes wherever the reader's own context is
def gib(value: int | None) -> str:
    """Bytes as GiB (2^30), without the unit.

    >>> gib(7368 * 2**20), gib(250_600_000_000), gib(0)
    ('7.20', '233.4', '0.00')
    >>> gib(163_840)
    '<0.01'
    """
    if value is None:
        return ""
    amount = Decimal(value) / GIB
    if 0 < amount < Decimal("0.005"):
        return "<0.01"
    return _fixed(amount, 2 if amount < 10 else 1)


def gb(value: int | None) -> str:
    """Bytes as GB (10^9), without the unit: downloads and bandwidth."""
    if value is None:
        return ""
    amount = Decimal(value) / GB
    return _fixed(amount, 2 if amount < 10 else 1)


def billions(value: int | None) -> str:
    """A parameter count as engineers say it.

    >>> billions(401_583_781_376), billions(8_030_261_248), billions(494_032_768), billions(999_885_952)
    ('401.6B', '8.03B', '494M', '1.00B')
    """
    if value is None:
        return ""
    # What would round up to the next unit is written in it.
    if value < 999_500_000:
        return f"{_fixed(Decimal(value) / 10**6, 0)}M"
    if value >= 999_950_000_000:
        return f"{_fixed(Decimal(value) / 10**12, 2)}T"
    amount = Decimal(value) / 10**9
    return f"{_fixed(amount, 2 if amount < Decimal('9.995') else 1)}B"


def context(value: int | None) -> str:
    """A context length in units of 1,024 tokens; exact where it is not a whole number of them.

    >>> context(131072), context(1048576), context(1000000), context(512)
    ('128K', '1M', '1,000,000', '512')
    """
    if value is None:
        return ""
    if value % 1024:
        return f"{value:,}"
    if value % 2**20 == 0:
        return f"{value // 2**20}M"
    return f"{value // 1024:,}K"


def percent(value: float | None, places: int = 2) -> str:
    """A relative error as a signed percentage.

    >>> percent(-0.634212), percent(0.0), percent(1.5, 0), percent(-3e-8)
    ('−63.42%', '0%', '+150%', '−0.000003%')
    """
    if value is None:
        return ""
    if value == 0:
        return "0%"
    if abs(value) < 10 ** -(places + 2) / 2:  # not `−0.00%`, which is neither nothing nor a figure
        places = ceil(-log10(abs(value) * 100))
    return f"{value:+,.{places}%}".replace("-", "−")


def unsigned_percent(value: float | None) -> str:
    """A relative error without its sign: a median of absolute errors.

    >>> unsigned_percent(0.00004), unsigned_percent(0.147)
    ('0.004%', '14.70%')
    """
    if value is None:
        return ""
    if value == 0:
        return "0%"
    return f"{value:.3%}" if value < 0.001 else f"{value:,.2%}"


def rate(value: float | None) -> str:
    """A bound on speed: three digits at most, for more would claim what a bound does not know.

    >>> rate(1234.5), rate(87.46), rate(3.14159)
    ('1,230', '87.5', '3.14')
    """
    if value is None:
        return ""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:,.3g}"


def seconds(value: float | None) -> str:
    """A duration, in milliseconds where it is short.

    >>> seconds(0.0421), seconds(12.34)
    ('42 ms', '12.3 s')
    """
    if value is None:
        return ""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{rate(value)} s"


def plain(value: float | None) -> str:
    """A figure of a data sheet, without digits that it does not state.

    >>> plain(1008.0), plain(165.2), plain(59.75)
    ('1,008', '165.2', '59.8')
    """
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def signed_gib(value: int | None) -> str:
    """Room in GiB, negative where it is missing, with a real minus sign.

    >>> signed_gib(-3 * 2**30), signed_gib(2**30)
    ('−3.00', '1.00')
    """
    if value is None:
        return ""
    return f"−{gib(-value)}" if value < 0 else gib(value)


def short_number(value: int) -> str:
    """A power of ten on an axis.

    >>> short_number(1000), short_number(10**9), short_number(100)
    ('1K', '1B', '100')
    """
    return _short(value, ("", "K", "M", "B", "T"))


def short_bytes(value: int) -> str:
    """A power of ten of bytes on an axis.

    >>> short_bytes(10**6), short_bytes(10**10), short_bytes(10)
    ('1 MB', '10 GB', '10 B')
    """
    return _short(value, (" B", " KB", " MB", " GB", " TB"))


def _short(value: int, units: Sequence[str]) -> str:
    step = 0
    while value >= 1000 and step < len(units) - 1:
        value, step = value // 1000, step + 1
    return f"{value:,}{units[step]}"
