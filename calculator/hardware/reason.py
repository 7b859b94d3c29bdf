"""Why a set of cards works or does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ON_PROCESSOR = "format_on_processor"
"""Key of a remark: such weights are held, but the card does not compute with them. No speed is told of them, and
nobody is proposed them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a set of cards does or does not work (`terms.REASONS`). `blocks` tells a refusal from a remark."""

    key: str
    values: Mapping[str, int | str] = field(default_factory=dict)
    blocks: bool = False
