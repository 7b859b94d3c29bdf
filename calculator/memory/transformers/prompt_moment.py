"""What is alive at a moment of a prompt pass."""

from __future__ import annotations

from typing import NamedTuple

F32 = 4


class Moment(NamedTuple):
    """Bytes alive for each token, for each pair of tokens in a sequence, for each pair in a mask that all sequences
    share, and of a matrix unpacked whole."""

    token: int
    pair: int = 0
    mask: int = 0
    matrix: int = 0

    def bytes(self, tokens: int, sequences: int) -> int:
        return sequences * tokens * (self.token + tokens * self.pair) + tokens * tokens * self.mask + self.matrix
