"""One quantity, predicted and printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One quantity. `place` is `cards` (all together), `each` (one of several alike) or `host`; tokens for `kv_tokens`.

    `reasons` are keys of `REASONS`, and stand only where the two differ by more than the printed digits.
    """

    quantity: str
    place: str
    predicted: int | None
    printed: int | None
    resolution: int = 0
    quotes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def error(self) -> float | None:
        """(predicted - printed) / printed; nought within the last digit printed."""
        if self.predicted is None or self.printed is None:
            return None
        if abs(self.predicted - self.printed) <= self.resolution:
            return 0.0
        return (self.predicted - self.printed) / self.printed if self.printed else None
