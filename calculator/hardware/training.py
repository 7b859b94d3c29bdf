"""Memory of fine-tuning, part by part: full, LoRA and QLoRA, from the model's real tensors.

Model states: ZeRO (arXiv:1910.02054, section 3.1). Adapters: LoRA (arXiv:2106.09685). 4-bit base: QLoRA
(arXiv:2305.14314, section 3). Activations: `activations`. Loss: "Cut Your Losses" (arXiv:2411.09009, table 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from calculator.architecture.shape import Shape, Tensor
from calculator.hardware.activations import ACTIVATION_BYTES, layer_tensors, token_bytes
from calculator.hardware.errors import HardwareError, check_bounds
from calculator.memory import Note, Part, Term
from calculator.memory.tensors import category

METHODS = ("full", "lora", "qlora")
TARGETS = ("attention", "all_linear", "all_linear_and_experts")

# Bytes of optimizer state per trained parameter, beside any master copy. AdamW keeps two fp32 moments.
OPTIMIZERS = ("adamw", "adamw_8bit", "sgd")
ADAM_BYTES = 8
# bitsandbytes keeps two bytes and one fp32 scale per moment and 256 values (optim/optimizer.py, `blocksize=256`),
# and full precision for tensors below 4,096 values (`min_8bit_size`). arXiv:2110.02861.
ADAM_8BIT_BLOCK, ADAM_8BIT_LEAST = 256, 4096

# NF4 with double quantisation: 4 bits, one byte per 64 weights, one fp32 per 256 of those bytes (QLoRA, section 3).
NF4_BLOCK, NF4_GROUP = 64, 256

# The loss as transformers computes it: logits in 16 bits, an fp32 copy, its log-softmax, their gradient. 14 bytes a
# logit, which is the 28,000 MiB that arXiv:2411.09009 measured for 8,192 tokens of 256,000 (table 1, baseline).
LOGIT_BYTES = 2 + 4 + 4 + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How to fine-tune. `sequences` is the batch on one device, `sequence_tokens` the length of each.

    `zero_stage` shards over `devices` (1: optimizer, 2: and gradients, 3: and weights, as FSDP does).
    `fp32_gradients` accumulates gradients in 32 bits: 18 bytes per parameter in place of 16 (Megatron-LM,
    docs/user-guide/features/dist_optimizer.md).
    """

    method: str = "lora"
    optimizer: str = "adamw"
    sequence_tokens: int = 2048
    sequences: int = 1
    gradient_checkpointing: bool = True
    rank: int = 16
    targets: str = "all_linear"
    fp32_gradients: bool = False
    zero_stage: int = 0
    devices: int = 1


@dataclass(frozen=True, kw_only=True)
class TrainingEstimate:
    """Bytes on one device, part by part (`terms.TRAINING_PARTS`)."""

    training: Training
    trained_parameters: int
    parts: tuple[Part, ...]
    notes: tuple[Note, ...]

    @property
    def per_device_bytes(self) -> int:
        return sum(part.bytes for part in self.parts)


def training_memory(shape: Shape, training: Training) -> TrainingEstimate:
    """What fine-tuning the text model takes on one device.

    Raises `HardwareError` for a method, a target or a number that cannot be.
    """
    _check(training)
    tensors = tuple(shape.tensors_of("text"))
    trained = _trained(tensors, training)
    if not trained:
        raise HardwareError("targets", "nothing_to_train", targets=training.targets)
    notes = [Note("training_text_only"), Note("training_overhead_excluded")]
    if training.method != "full":
        notes.append(Note("adapters_fp32"))
    if training.method == "qlora" and any(tensor.routed for tensor in tensors):
        notes.append(Note("bitsandbytes_skips_experts"))
    if training.zero_stage == 3:
        notes.append(Note("gathered_layer_excluded"))
    return TrainingEstimate(
        training=training,
        trained_parameters=sum(trained),
        parts=(
            Part(key="weights", terms=tuple(_base_weights(tensors, training))),
            Part(key="adapters", terms=tuple(_adapter_weights(trained, training))),
            Part(key="gradients", terms=(_gradients(sum(trained), training),)),
            Part(key="optimizer", terms=tuple(_optimizer(trained, training))),
            Part(key="activations", terms=tuple(_activations(shape, training))),
            Part(key="logits", terms=(_logits(shape, training),)),
        ),
        notes=tuple(notes),
    )


def _check(training: Training) -> None:
    choices = {"method": METHODS, "optimizer": OPTIMIZERS, "targets": TARGETS, "zero_stage": (0, 1, 2, 3)}
    for field, offered in choices.items():
        value = getattr(training, field)
        if value not in offered:
            raise HardwareError(field, "unknown", value=value, offered=offered)
    for field, most in (("sequence_tokens", 2**28), ("sequences", 2**16), ("rank", 2**14), ("devices", 2**16)):
        check_bounds(field, getattr(training, field), 1, most)


def _trained(tensors: tuple[Tensor, ...], training: Training) -> list[int]:
    """Elements of each tensor that learns: every tensor, or two thin matrices per adapted one (r x in, out x r)."""
    if training.method == "full":
        return [tensor.elements for tensor in tensors]
    sizes = []
    for tensor in tensors:
        if is_target(tensor, training.targets):
            experts = tensor.elements // (tensor.shape[-1] * tensor.shape[-2])
            sizes += [experts * training.rank * tensor.shape[-1], experts * training.rank * tensor.shape[-2]]
    return sizes


def is_target(tensor: Tensor, targets: str) -> bool:
    """Whether an adapter goes onto this tensor. QLoRA puts one on every linear layer (section 4, "all linear")."""
    if not is_linear(tensor):
        return False
    if targets == "attention":
        return category(tensor.role) == "mixer"
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


def _base_weights(tensors: tuple[Tensor, ...], training: Training) -> Iterator[Term]:
    share = training.devices if training.zero_stage == 3 else 1
    total = sum(tensor.elements for tensor in tensors)
    if training.method != "qlora":
        yield Term("weights_16bit", {"parameters": total, "devices": share}, _share(2 * total, share))
        return
    # Fused experts are no `nn.Linear`, so bitsandbytes leaves them as they are.
    experts = sum(tensor.elements for tensor in tensors if tensor.routed)
    quantised = [tensor.elements for tensor in tensors if is_linear(tensor) and not tensor.routed]
    blocks = sum(-(-elements // NF4_BLOCK) for elements in quantised)
    nf4 = sum(-(-elements // 2) for elements in quantised) + blocks + 4 * -(-blocks // NF4_GROUP)
    rest = total - sum(quantised) - experts
    yield Term("weights_nf4", {"parameters": sum(quantised), "blocks": blocks, "devices": share}, _share(nf4, share))
    # PEFT's `prepare_model_for_kbit_training` casts what is left to fp32: embeddings, output, norms, routers.
    yield Term("weights_fp32", {"parameters": rest, "devices": share}, _share(4 * rest, share))
    if experts:
        yield Term("experts_16bit", {"parameters": experts, "devices": share}, _share(2 * experts, share))
    # bitsandbytes unpacks one matrix at a time to 16 bits.
    largest = max(
        (tensor.shape[-1] * tensor.shape[-2] for tensor in tensors if is_linear(tensor) and not tensor.routed),
        default=0,
    )
    yield Term("weights_unpacked", {"parameters": largest}, 2 * largest)


def _adapter_weights(trained: list[int], training: Training) -> Iterator[Term]:
    if training.method != "full":
        share = training.devices if training.zero_stage == 3 else 1
        values = {"parameters": sum(trained), "rank": training.rank, "devices": share}
        yield Term("adapters_fp32", values, _share(4 * sum(trained), share))


def _gradients(trained: int, training: Training) -> Term:
    """Gradients have the precision of what they belong to: 16 bits for the model, 32 for adapters."""
    bytes_each = 4 if training.method != "full" or training.fp32_gradients else 2
    share = training.devices if training.zero_stage >= 2 else 1
    values = {"parameters": trained, "bytes_each": bytes_each, "devices": share}
    return Term("gradients", values, _share(trained * bytes_each, share))


def _optimizer(trained: list[int], training: Training) -> Iterator[Term]:
    share = training.devices if training.zero_stage >= 1 else 1
    parameters = sum(trained)
    if training.method == "full":
        yield Term("master_weights", {"parameters": parameters, "devices": share}, _share(4 * parameters, share))
    if training.optimizer == "adamw":
        yield Term("adam_moments", {"parameters": parameters, "devices": share}, _share(ADAM_BYTES * parameters, share))
    elif training.optimizer == "adamw_8bit":
        moments = sum(_adam_8bit(elements) for elements in trained)
        yield Term("adam_8bit_moments", {"parameters": parameters, "devices": share}, _share(moments, share))


def _adam_8bit(elements: int) -> int:
    if elements < ADAM_8BIT_LEAST:
        return ADAM_BYTES * elements
    return 2 * elements + 2 * 4 * -(-elements // ADAM_8BIT_BLOCK)


def _activations(shape: Shape, training: Training) -> Iterator[Term]:
    """All layers, or with checkpointing every layer's input and one layer again (arXiv:2205.05198, section 5)."""
    tokens = training.sequence_tokens * training.sequences
    by_layer = layer_tensors(shape)
    per_token = [token_bytes(shape, layer, by_layer[layer.index]) for layer in shape.layers]
    if not training.gradient_checkpointing:
        yield Term("activations", {"tokens": tokens, "per_token": sum(per_token)}, tokens * sum(per_token))
        return
    inputs = ACTIVATION_BYTES * shape.hidden_size * shape.num_layers
    values = {"tokens": tokens, "layers": shape.num_layers, "hidden_size": shape.hidden_size}
    yield Term("checkpoints", values, tokens * inputs)
    yield Term("recomputed_layer", {"tokens": tokens, "per_token": max(per_token)}, tokens * max(per_token))


def _logits(shape: Shape, training: Training) -> Term:
    tokens = training.sequence_tokens * training.sequences
    values = {"tokens": tokens, "vocab_size": shape.vocab_size, "bytes_each": LOGIT_BYTES}
    return Term("logits", values, tokens * shape.vocab_size * LOGIT_BYTES)


def _share(total: int, devices: int) -> int:
    return -(-total // devices)
