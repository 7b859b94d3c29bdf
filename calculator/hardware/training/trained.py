"""Which tensors learn, and which are quantised."""

from __future__ import annotations

from collections.abc import Iterable

from calculator.architecture.shape import Tensor
from calculator.hardware.training.settings import Settled
from calculator.memory.tensors import category


def trained_sizes(tensors: Iterable[Tensor], settings: Settled) -> list[int]:
    """Elements of each tensor that learns: every tensor, or two thin matrices per adapted one (r x in, out x r).

    LoRA, arXiv:2106.09685, section 4.1. transformers 5 stacks an expert's gate and up into one matrix of twice the
    outputs, and PEFT gives that twice the rank (utils/transformers_weight_conversion.py).
    """
    if settings.method == "full":
        return [tensor.elements for tensor in tensors if tensor.kind != "buffer"]
    sizes = []
    for tensor in tensors:
        if is_target(tensor, settings.targets):
            experts = tensor.elements // (tensor.shape[-1] * tensor.shape[-2])
            stacked = tensor.routed and settings.program != "unsloth" and not tensor.role.startswith("ffn_down")
            outputs = tensor.shape[-2] * (2 if stacked else 1)
            sizes += [experts * settings.rank * tensor.shape[-1], experts * settings.rank * outputs]
    return sizes


def is_target(tensor: Tensor, targets: str) -> bool:
    """Whether an adapter goes onto this tensor.

    `query_value`: PEFT's own choice for most models (utils/constants.py,
    `TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING`). `all_linear`: QLoRA, arXiv:2305.14314, section 4.
    """
    if not is_linear(tensor):
        return False
    if targets == "query_value":
        return tensor.role in ("attn_q", "attn_v", "attn_qkv")
    if targets == "attention":
        return category(tensor.role) == "mixer"
    if targets == "feed_forward":
        return category(tensor.role) in ("feed_forward", "shared_experts")
    return targets == "all_linear_and_experts" or not tensor.routed


def is_linear(tensor: Tensor) -> bool:
    """A matrix inside a block that PEFT and bitsandbytes replace: no embedding, output, router, norm or convolution."""
    return (
        tensor.layer is not None
        and tensor.kind == "weight"
        and len(tensor.shape) >= 2
        and category(tensor.role) in ("mixer", "experts", "shared_experts", "feed_forward")
        and "conv" not in tensor.role
    )


def is_quantised(tensor: Tensor, settings: Settled) -> bool:
    """bitsandbytes replaces `nn.Linear` (transformers, integrations/bitsandbytes.py, `replace_with_bnb_linear`) and so
    leaves stacked experts alone; Unsloth quantises those too (unsloth_zoo, temporary_patches/moe_utils_bnb4bit.py, and
    gpt_oss.py, `GptOssExpertsBnb4bit`)."""
    if settings.method != "qlora" or not is_linear(tensor):
        return False
    return not tensor.routed or settings.program == "unsloth"
