"""How mlx holds a matrix: packed words, and a scale (affine: and a bias) for every group along a row.

Source: mlx 0.32.4, `mlx/ops.cpp` (`affine_quantize`, `fp_quantize`): `bits` x columns / 32 words of 32 bits a row;
affine scales and biases in the matrix's own dtype; a scale of 8 bits in the other modes, which have no bias. A matrix
whose rows the group does not divide stays wide (mlx-lm 0.32.2, `utils.py`, `wrapped_predicate`).
"""

from __future__ import annotations

from dataclasses import dataclass

from calculator.architecture.mlx import BITS, GROUP_SIZES, MODES, format_name


@dataclass(frozen=True, slots=True)
class Format:
    """`scale_bytes` of one group: a scale and a bias of 16 bits, or one byte."""

    name: str
    bits: int
    group: int
    scale_bytes: int

    def arrays(self, rows: int, columns: int) -> tuple[int, ...]:
        """Bytes of the arrays that a matrix is kept in: words, scales and, in affine formats, biases."""
        scales = rows * (columns // self.group)
        words = rows * columns * self.bits // 8
        return (words, 2 * scales, 2 * scales) if self.scale_bytes == 4 else (words, scales)

    def numbers(self, rows: int, columns: int) -> int:
        """Numbers in these arrays, words of 32 bits counted as one: what a command buffer is measured by."""
        arrays = 2 if self.scale_bytes == 4 else 1
        return rows * columns * self.bits // 32 + arrays * rows * (columns // self.group)


def _affine(bits: int, group: int) -> Format:
    return Format(format_name(bits, group), bits, group, 4)


FORMATS: dict[str, Format] = {
    spec.name: spec
    for spec in (
        *(_affine(bits, group) for bits in sorted(BITS, reverse=True) for group in GROUP_SIZES),
        *(Format(mode, bits, group, 1) for mode, (group, bits) in MODES.items() if mode != "affine"),
    )
}
EIGHT_BITS = FORMATS["8bit"]
"""What models ask for where a few bits would cost too much: `{"group_size": 64, "bits": 8}`."""

WIDE = {"BF16": 2, "FP16": 2, "FP32": 4}
