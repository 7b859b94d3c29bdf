"""Bytes of the base model on one device: what is quantised, what stays wide, what is unpacked to compute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from calculator.architecture.shape import Tensor
from calculator.hardware.training.settings import Settled
from calculator.hardware.training.trained import is_linear, is_quantised
from calculator.memory import Term
from calculator.memory.tensors import category

# NF4 (QLoRA, arXiv:2305.14314, section 3): half a byte, and a scale per 64 weights: one fp32, or with double
# quantisation one byte and one fp32 per 256 of those.
NF4_BLOCK, NF4_GROUP = 64, 256

# DeepSpeed's `stage3_max_live_parameters` (runtime/zero/config.py): gathered weights that a device keeps.
LIVE_PARAMETERS = 1_000_000_000


def base_weights(tensors: tuple[Tensor, ...], settings: Settled) -> Iterator[Term]:
    """The stored weights, sharded where they are."""
    share = settings.shards(3)
    quantised = [tensor for tensor in tensors if is_quantised(tensor, settings)]
    packed, blocks = sum(nf4_bytes(t.elements, settings) for t in quantised), sum(map(_blocks, quantised))
    wide = sum(tensor.elements for tensor in tensors) - sum(tensor.elements for tensor in quantised)
    if quantised:
        values = {"parameters": sum(t.elements for t in quantised), "blocks": blocks, "devices": share}
        yield Term("weights_nf4_double" if settings.double_quantisation else "weights_nf4", values, -(-packed // share))
    each = _stored_bytes(settings)
    yield Term("weights_wide", {"parameters": wide, "bytes_each": each, "devices": share}, -(-each * wide // share))


def _stored_bytes(settings: Settled) -> int:
    """accelerate widens what FSDP2 trains to 32 bits (utils/fsdp_utils.py, "Upcast to fp32 master weights")."""
    return 4 if settings.program == "fsdp" and settings.method == "full" else settings.wide_bytes


def nf4_bytes(elements: int, settings: Settled) -> int:
    blocks = -(-elements // NF4_BLOCK)
    scales = blocks + 4 * -(-blocks // NF4_GROUP) if settings.double_quantisation else 4 * blocks
    return -(-elements // 2) + scales


def _blocks(tensor: Tensor) -> int:
    return -(-tensor.elements // NF4_BLOCK)


def working_weights(tensors: tuple[Tensor, ...], settings: Settled, moment: str) -> Iterator[Term]:
    """Copies that exist while computing: unpacked, cast to 16 bits, merged with adapters, or gathered."""
    unpacked = _unpacked(tensors, settings)
    if unpacked:
        yield Term("weights_unpacked", {"parameters": unpacked}, 2 * unpacked)
    cast = _cast(tensors, settings, moment)
    if cast:
        yield Term("weights_cast", {"parameters": cast}, 2 * cast)
    merged = _merged(tensors, settings, moment)
    if merged:
        yield Term("experts_merged", {"parameters": merged}, settings.wide_bytes * merged)
    if settings.zero_stage == 3 and settings.devices > 1:
        yield _gathered(tensors, settings)


def _unpacked(tensors: tuple[Tensor, ...], settings: Settled) -> int:
    """The most elements unpacked to 16 bits at once.

    bitsandbytes unpacks a matrix for its gradient (autograd/_functions.py, `MatMul4Bit.backward`). Unsloth keeps a
    buffer of the largest and unpacks another beside it (kernels/utils.py, `fast_dequantize`); of stacked experts it
    unpacks a projection of all, gate and up being one (temporary_patches/gpt_oss_grouped_qlora.py).
    """
    quantised = [tensor for tensor in tensors if is_quantised(tensor, settings)]
    single = max((tensor.elements for tensor in quantised if not tensor.routed), default=0)
    if settings.program != "unsloth":
        return single
    stacked = _by_layer(t for t in quantised if t.routed and not t.role.startswith("ffn_down"))
    return max([2 * single, *stacked.values()])


def _cast(tensors: tuple[Tensor, ...], settings: Settled, moment: str) -> int:
    """Elements that autocast copies to 16 bits and that the backward pass still needs.

    It keeps copies of trained 32-bit weights until the forward pass is over, and every multiplication keeps the copy
    that it used: without checkpoints those of all layers, with them of one.
    """
    if settings.program != "trl" or settings.precision != "32bit":
        return 0
    by_layer = _by_layer(tensor for tensor in tensors if is_linear(tensor) and not is_quantised(tensor, settings))
    head = _head(tensors) if moment == "loss" else 0
    every = settings.checkpointing == "none" and moment != "last_layer"
    if every or (moment == "loss" and settings.method == "full"):
        return sum(by_layer.values()) + head
    return max([head, *by_layer.values()])


def _merged(tensors: tuple[Tensor, ...], settings: Settled, moment: str) -> int:
    """Elements of stacked experts that PEFT adds their adapters to, each time they are used (tuners/lora/layer.py,
    `ParamWrapper`): the sum is kept for the backward pass, and what is added exists beside it."""
    if settings.program == "unsloth" or settings.method == "full" or settings.targets != "all_linear_and_experts":
        return 0
    by_layer = _by_layer(tensor for tensor in tensors if is_linear(tensor) and tensor.routed)
    one = max(by_layer.values(), default=0)
    every = settings.checkpointing == "none" and moment != "last_layer"
    return one + (sum(by_layer.values()) if every else one)


def _by_layer(tensors: Iterable[Tensor]) -> dict[int | None, int]:
    """Elements in each layer."""
    found: dict[int | None, int] = {}
    for tensor in tensors:
        found[tensor.layer] = found.get(tensor.layer, 0) + tensor.elements
    return found


def _head(tensors: tuple[Tensor, ...]) -> int:
    """Elements of the output layer, the embedding where they are one."""
    named = {category(t.role): t.elements for t in tensors if t.layer is None and len(t.shape) == 2}
    return named.get("output", named.get("embedding", 0))


def _gathered(tensors: tuple[Tensor, ...], settings: Settled) -> Term:
    """What a device holds whole for a moment, in the 16 bits (or 4) that it computes in.

    FSDP2: the layer at work, the next one, and what belongs to no layer. DeepSpeed: up to its limit of live weights.
    """
    if settings.program == "deepspeed":
        total = min(sum(t.elements for t in tensors), LIVE_PARAMETERS)
        return Term("weights_gathered", {"parameters": total}, 2 * total)
    sizes = _by_layer(tensors)
    stored: dict[int | None, int] = {}
    for tensor in tensors:
        size = nf4_bytes(tensor.elements, settings) if is_quantised(tensor, settings) else 2 * tensor.elements
        stored[tensor.layer] = stored.get(tensor.layer, 0) + size
    outside, outside_bytes = sizes.pop(None, 0), stored.pop(None, 0)
    return Term(
        "weights_gathered",
        {"parameters": outside + 2 * max(sizes.values(), default=0)},
        outside_bytes + 2 * max(stored.values(), default=0),
    )
