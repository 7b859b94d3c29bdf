"""What a reader asks of fine-tuning, and the same with every gap filled by the program's own default."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from calculator.architecture.shape import Shape
from calculator.hardware.errors import HardwareError, check_bounds
from calculator.hardware.training.programs import METHODS, PRECISIONS, PROGRAMS, TARGETS, questions

MOST = {"sequence_tokens": 2**28, "sequences": 2**16, "accumulation": 2**16, "rank": 2**14, "devices": 2**16}

# Formats that the programs widen to 16 bits while loading (`Mxfp4Config` and `FineGrainedFP8Config` with
# `dequantize=True`). The others have no way back, or their quantizer's `is_trainable` is False (quantizers/).
WIDENED = ("MXFP4", "FP8")
WIDE = ("BF16", "F16", "F32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How to fine-tune. None is the program's own default.

    `sequences` is the batch on one device, `sequence_tokens` the length of each, `accumulation` the batches before a
    step. `precision` is that of the weights that are not quantised. `zero_stage` shards over `devices` (1: optimizer,
    2: and gradients, 3: and weights).
    """

    program: str = "trl"
    method: str = "lora"
    precision: str | None = None
    double_quantisation: bool | None = None
    optimizer: str | None = None
    loss: str | None = None
    checkpointing: str | None = None
    sequence_tokens: int | None = None
    sequences: int | None = None
    accumulation: int | None = None
    rank: int | None = None
    targets: str | None = None
    zero_stage: int | None = None
    devices: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """`Training` with nothing open."""

    program: str
    method: str
    precision: str
    double_quantisation: bool
    optimizer: str
    loss: str
    checkpointing: str
    sequence_tokens: int
    sequences: int
    accumulation: int
    rank: int
    targets: str
    zero_stage: int
    devices: int

    @property
    def tokens(self) -> int:
        """Tokens of one batch on one device."""
        return self.sequence_tokens * self.sequences

    @property
    def wide_bytes(self) -> int:
        """Bytes of a weight that is not quantised, where it is not sharded into a copy of its own."""
        return 4 if self.precision == "32bit" else 2

    def shards(self, stage: int) -> int:
        """Devices among which what ZeRO shards from `stage` on is dealt out."""
        return self.devices if self.zero_stage >= stage else 1


def settled(training: Training, shape: Shape) -> Settled:
    """Fill every gap. Raises `HardwareError` for what this program or method does not offer, by name."""
    _one_of("program", training.program, tuple(PROGRAMS))
    _one_of("method", training.method, METHODS)
    program, asked = PROGRAMS[training.program], questions(training.program, training.method)
    values: dict[str, str | int | bool] = {"program": training.program, "method": training.method}
    for field in fields(training)[2:]:
        value = getattr(training, field.name)
        if value is not None and field.name not in asked:
            raise HardwareError(field.name, "not_asked", program=training.program, method=training.method)
        values[field.name] = program.defaults[field.name] if value is None else value
    offered = {"precision": PRECISIONS, "targets": TARGETS} | dict(program.offers)
    for name, choices in offered.items():
        _one_of(name, values[name], choices)
    for name, most in MOST.items():
        check_bounds(name, int(values[name]), 1, most)
    if shape.native_format not in WIDE + WIDENED:
        raise HardwareError("method", "format_not_trained", format=shape.native_format)
    return _short_sequences(Settled(**values))  # type: ignore[arg-type]


def _one_of(field: str, value: object, offered: tuple[object, ...]) -> None:
    if value not in offered:
        raise HardwareError(field, "unknown", value=value, offered=offered)


def _short_sequences(found: Settled) -> Settled:
    """Unsloth offloads no checkpoints of sequences below 512 tokens (`apply_unsloth_gradient_checkpointing`)."""
    if found.checkpointing == "offloaded" and found.sequence_tokens < 512:
        return replace(found, checkpointing="layers")
    return found
