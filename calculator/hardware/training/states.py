"""Gradients and optimizer states of what learns, and the buffers that they are exchanged in."""

from __future__ import annotations

from collections.abc import Iterator

from calculator.architecture.shape import Shape
from calculator.hardware.training.settings import Settled
from calculator.memory import Term

# bitsandbytes keeps per moment and value one byte, and one fp32 scale per 256 values (optim/optimizer.py,
# `Optimizer2State.init_state`), and full precision for tensors below 4,096 values (`min_8bit_size`). arXiv:2110.02861.
ADAM_8BIT_BLOCK, ADAM_8BIT_LEAST = 256, 4096
# Paged states of tensors from 100,000 values on lie in memory that CUDA moves to RAM (`get_state_buffer`).
PAGED_LEAST = 100_000

# DeepSpeed's `reduce_bucket_size` (runtime/zero/config.py), in elements; two of them where communication overlaps.
REDUCE_BUCKET = 500_000_000


def trained_bytes(settings: Settled) -> int:
    """Bytes of one trained weight, which its gradient shares.

    Adapters: 32 bits (PEFT, `cast_adapter_dtype`; Unsloth, `prepare_model_for_training`); 16 where TRL trains a
    quantised model (trainer/sft_trainer.py), and with DeepSpeed. Everything: as loaded; FSDP2 trains 32 bits.
    """
    if settings.program == "deepspeed":
        return 2
    if settings.program == "unsloth":
        return 2 if settings.method == "full" else 4
    if settings.method == "qlora" and settings.program == "trl":
        return 2
    if settings.method == "full" and settings.program == "trl":
        return settings.wide_bytes
    return 4


def adapter_weights(trained: list[int], settings: Settled) -> Iterator[Term]:
    if settings.method == "full":
        return
    share, each = settings.shards(3), trained_bytes(settings)
    values = {"parameters": sum(trained), "rank": settings.rank, "bytes_each": each, "devices": share}
    yield Term("adapters", values, -(-each * sum(trained) // share))
    if settings.program == "trl" and each == 4:
        yield Term("adapters_cast", {"parameters": sum(trained)}, 2 * sum(trained))


def gradients(trained: list[int], settings: Settled) -> Iterator[Term]:
    """Gradients in the precision of what they belong to, and DeepSpeed's bucket."""
    share, each = settings.shards(2), trained_bytes(settings)
    values = {"parameters": sum(trained), "bytes_each": each, "devices": share}
    yield Term("gradients", values, -(-each * sum(trained) // share))
    if settings.program == "deepspeed":
        copies = 2 if settings.zero_stage == 3 else 1
        size = min(REDUCE_BUCKET, sum(trained))
        yield Term("gradient_bucket", {"parameters": size, "copies": copies}, 2 * copies * size)


def tied_gradients(shape: Shape, settings: Settled) -> Iterator[Term]:
    """Of an embedding that is the output layer too, autograd adds two gradients into a third when it reaches the first
    layer, and only the sum stays."""
    if settings.method == "full" and shape.tied_embeddings:
        size, each = shape.vocab_size * shape.hidden_size, trained_bytes(settings)
        yield Term("tied_gradients", {"parameters": size, "bytes_each": each}, 2 * each * size)


def gradients_widened(trained: list[int], settings: Settled) -> Iterator[Term]:
    """DeepSpeed steps on 32-bit gradients of its own share (runtime/zero/stage_1_and_2.py, `4_grads_32bit`)."""
    if settings.program == "deepspeed":
        share = settings.shards(1)
        yield Term("gradients_32bit", {"parameters": sum(trained), "devices": share}, -(-4 * sum(trained) // share))


def optimizer(trained: list[int], settings: Settled) -> Iterator[Term]:
    """A master copy where there is one (ZeRO, arXiv:1910.02054, section 3.1), and the moments."""
    share, parameters = settings.shards(1), sum(trained)
    if settings.program == "deepspeed":
        yield Term("master_weights", {"parameters": parameters, "devices": share}, -(-4 * parameters // share))
    if settings.optimizer == "adamw":
        # torch.optim.AdamW keeps moments like the weights (`torch.zeros_like(p)`), DeepSpeed's like the master copy.
        each = 2 * (4 if settings.program == "deepspeed" else trained_bytes(settings))
        values = {"parameters": parameters, "bytes_each": each, "devices": share}
        yield Term("adam_moments", values, -(-each * parameters // share))
    elif settings.optimizer != "sgd":
        paged = settings.optimizer.startswith("paged")
        moments = sum(_bitsandbytes(elements, settings) for elements in trained if not paged or elements < PAGED_LEAST)
        key = "adam_8bit_moments" if settings.optimizer.endswith("8bit") else "adam_paged_moments"
        yield Term(key, {"parameters": parameters}, moments)


def paged_bytes(trained: list[int], settings: Settled) -> int:
    """Bytes of optimizer states that may leave for RAM."""
    if not settings.optimizer.startswith("paged"):
        return 0
    return sum(_bitsandbytes(elements, settings) for elements in trained if elements >= PAGED_LEAST)


def _bitsandbytes(elements: int, settings: Settled) -> int:
    """Two moments of one tensor; bitsandbytes' own are of 32 bits, or of 8."""
    if elements < ADAM_8BIT_LEAST or not settings.optimizer.endswith("8bit"):
        return 8 * elements
    return 2 * elements + 2 * 4 * -(-elements // ADAM_8BIT_BLOCK)
