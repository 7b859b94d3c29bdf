"""Whether an engine runs on a vendor's cards, and which weight formats need the card's help."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from calculator.hardware.cards import Card
from calculator.hardware.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """Which vendors' cards an engine reaches; what is in no list is not known.

    `own`: its own tree supports them. `plugins`: vendor -> the package beside the engine that does. `refused`: known
    not to be reached, or reached in a way that allocates other memory than is computed here. `closed`: so is every
    vendor that is not in `own`. `least_capability`: of CUDA.
    """

    own: frozenset[str]
    plugins: Mapping[str, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    least_capability: tuple[int, int] | None = None
    closed: bool = False

    def reasons(self, engine: str, card: Card) -> Iterator[Reason]:
        """What stands between `engine`, whose support this is, and this vendor's cards."""
        values: dict[str, int | str] = {"engine": engine, "vendor": card.vendor}
        if card.vendor in self.refused or (self.closed and card.vendor not in self.own):
            yield Reason("engine_unsupported", values, blocks=True)
        elif (plugin := self.plugins.get(card.vendor)) is not None:
            yield Reason("engine_by_plugin", values | {"plugin": plugin})
        elif card.vendor not in self.own:
            yield Reason("engine_support_unknown", values)
        least, capability = self.least_capability, card.capability
        if least and capability and capability < least:
            yield Reason(
                "capability_too_low",
                {"engine": engine, "needed": f"{least[0]}.{least[1]}", "capability": str(card.compute_capability)},
                blocks=True,
            )


FAMILIES = ("FP8", "NVFP4", "MXFP4")
"""Formats that cards compute in themselves, by the beginning of a format's name."""


def format_family(weight_format: str) -> str | None:
    """The hardware data type that a format is about: FP8, NVFP4, MXFP4, or none.

    >>> format_family("FP8_BLOCK"), format_family("Q4_K_M")
    ('FP8', None)
    """
    return next((family for family in FAMILIES if weight_format.upper().startswith(family)), None)


def native_or_unpacked(
    engine: str, card: Card, weight_format: str, unpacks: Callable[[Card, str], bool]
) -> Iterator[Reason]:
    """Whether the card computes in `weight_format`, unpacks it (`unpacks(card, family)`), or cannot use it."""
    family = format_family(weight_format)
    if family is None:
        return
    native = card.supports_fp8 if family == "FP8" else card.supports_fp4
    values = {"format": weight_format}
    if native is None:
        yield Reason("format_support_unknown", values)
    elif not native:
        if unpacks(card, family):
            yield Reason("format_weight_only", values)
        else:
            yield Reason("format_unsupported", values | {"engine": engine}, blocks=True)


# Marlin kernels unpack these weights to 16 bits on older cards. FP8: vLLM docs/features/quantization/
# llm_compressor/fp8.md, "compute capability >= 7.5 (Turing) as weight-only W8A16"; FP4: vLLM
# marlin_utils_fp4.py, `has_device_capability(80)`.
MARLIN_CAPABILITY: Mapping[str, tuple[int, int]] = {"FP8": (7, 5), "NVFP4": (8, 0), "MXFP4": (8, 0)}


def pytorch_unpacks(card: Card, family: str) -> bool:
    """Whether kernels that PyTorch engines share unpack weights of this family to 16 bits on this card."""
    if card.vendor == "nvidia":
        return card.capability is not None and card.capability >= MARLIN_CAPABILITY[family]
    if card.vendor == "amd":
        return family == "MXFP4" and bool(card.supports_fp8)  # gpt-oss on MI300X runs through Triton kernels
    return card.vendor == "intel" and card.segment != "datacenter"  # XPU kernels of vLLM unpack FP8 and MXFP4 weights
