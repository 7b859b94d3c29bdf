"""Which engine runs on whose cards, and which weight formats need the card's help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from calculator.hardware.cards import Card


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a set of cards does or does not work (`terms.REASONS`). `blocks` tells a refusal from a remark."""

    key: str
    values: Mapping[str, int | str] = field(default_factory=dict)
    blocks: bool = False


# Vendors that the engine's own tree supports.
# llama.cpp: docs/build.md (CUDA, HIP, Vulkan, SYCL, Metal, MUSA, CANN). vLLM: docs/getting_started/installation/gpu.md.
SUPPORTED: Mapping[str, frozenset[str]] = {
    "llama.cpp": frozenset({"nvidia", "amd", "intel", "apple", "moore-threads", "huawei"}),
    "vllm": frozenset({"nvidia", "amd", "intel"}),
    "transformers": frozenset({"nvidia", "amd", "intel", "apple"}),
}

# Vendors reached through a package beside the engine.
# vLLM: the list in vllm/model_executor/custom_op.py and docs of hardware plugins; PyTorch: PrivateUse1 back ends.
PLUGINS: Mapping[str, Mapping[str, str]] = {
    "vllm": {
        "huawei": "vllm-ascend",
        "metax": "vLLM-metax",
        "kunlunxin": "vLLM-Kunlun",
        "moore-threads": "vllm-musa",
        "google": "tpu-inference",
        "aws": "vllm-neuron",
    },
    "transformers": {"huawei": "torch_npu", "moore-threads": "torch_musa", "cambricon": "torch_mlu"},
}

# Vendors known not to be reached, or reached in a way that allocates other memory than is computed here:
# vllm-metal keeps weights and caches in MLX arrays.
UNSUPPORTED: Mapping[str, frozenset[str]] = {
    "llama.cpp": frozenset({"google", "aws"}),
    "vllm": frozenset({"apple"}),
    "transformers": frozenset(),
}

# vLLM docs/getting_started/installation/gpu.cuda.inc.md (v0.21): "compute capability 7.5 or higher".
LEAST_CAPABILITY: Mapping[str, tuple[int, int]] = {"vllm": (7, 5)}

# Marlin kernels unpack these weights to 16 bits on older cards. FP8: vLLM docs/features/quantization/
# llm_compressor/fp8.md, "compute capability >= 7.5 (Turing) as weight-only W8A16"; FP4: vLLM
# marlin_utils_fp4.py, `has_device_capability(80)`.
WEIGHT_ONLY_CAPABILITY: Mapping[str, tuple[int, int]] = {"FP8": (7, 5), "NVFP4": (8, 0), "MXFP4": (8, 0)}


def card_reasons(card: Card, engine: str, weight_format: str | None) -> tuple[Reason, ...]:
    """All that this card says about an engine and a weight format (None: not settled)."""
    formats = () if weight_format is None else format_reasons(card, engine, weight_format)
    return (*engine_reasons(card, engine), *formats)


def engine_reasons(card: Card, engine: str) -> Iterator[Reason]:
    """What stands between `engine` and this vendor's cards."""
    values: dict[str, int | str] = {"engine": engine, "vendor": card.vendor}
    plugin = PLUGINS.get(engine, {}).get(card.vendor)
    if card.vendor in UNSUPPORTED.get(engine, frozenset()):
        yield Reason("engine_unsupported", values, blocks=True)
    elif plugin is not None:
        yield Reason("engine_by_plugin", values | {"plugin": plugin})
    elif card.vendor not in SUPPORTED.get(engine, frozenset()):
        yield Reason("engine_support_unknown", values)
    least, capability = LEAST_CAPABILITY.get(engine), card.capability
    if least and capability and capability < least:
        yield Reason(
            "capability_too_low",
            {"engine": engine, "needed": f"{least[0]}.{least[1]}", "capability": str(card.compute_capability)},
            blocks=True,
        )


def format_reasons(card: Card, engine: str, weight_format: str) -> Iterator[Reason]:
    """Whether the card computes in `weight_format`, unpacks it, or cannot use it.

    llama.cpp unpacks every format in its own kernels, on every card.
    """
    family = format_family(weight_format)
    if engine == "llama.cpp" or family is None:
        return
    native = card.supports_fp8 if family == "FP8" else card.supports_fp4
    values = {"format": weight_format}
    if native is None:
        yield Reason("format_support_unknown", values)
    elif not native:
        if _unpacks(card, engine, family):
            yield Reason("format_weight_only", values)
        else:
            yield Reason("format_unsupported", values | {"engine": engine}, blocks=True)


def format_family(weight_format: str) -> str | None:
    """The hardware data type that a format is about: FP8, NVFP4, MXFP4, or none.

    >>> format_family("FP8_BLOCK"), format_family("Q4_K_M")
    ('FP8', None)
    """
    return next((family for family in WEIGHT_ONLY_CAPABILITY if weight_format.upper().startswith(family)), None)


def _unpacks(card: Card, engine: str, family: str) -> bool:
    if card.vendor == "nvidia":
        if engine == "transformers" and family == "FP8":
            return False  # quantizers/quantizer_finegrained_fp8.py asks for compute capability 8.9
        return card.capability is not None and card.capability >= WEIGHT_ONLY_CAPABILITY[family]
    if card.vendor == "amd":
        return family == "MXFP4" and bool(card.supports_fp8)  # gpt-oss on MI300X runs through Triton kernels
    return card.vendor == "intel" and card.segment != "datacenter"  # XPU kernels of vLLM unpack FP8 and MXFP4 weights
