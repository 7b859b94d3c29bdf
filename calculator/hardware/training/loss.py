"""Logits and what their loss takes, which for a large vocabulary is more than all layers together."""

from __future__ import annotations

from collections.abc import Iterator

from calculator.architecture.shape import Shape
from calculator.hardware.training.settings import Settled
from calculator.memory import Term

# transformers' `ForCausalLMLoss` (loss/loss_utils.py): log-softmax, the gradient of the picked values and that of the
# logits, in 32 bits. The logits in 16 bits and their 32-bit copy are gone by then.
FULL_BYTES = 4 + 4 + 4

# TRL's fused head (kernels/chunked_logprob.py, `TOKEN_CHUNK_SIZE`; trainer/utils.py, `_CHUNKED_LOGPROB_CHUNK_SIZE`).
TILE_TOKENS, TILE_VOCABULARY = 4096, 32768

# Unsloth's chunked loss (unsloth_zoo, fused_losses/cross_entropy_loss.py). It reckons with `_CE_BYTES_PER_LOGIT`,
# that of the uncompiled operations, and takes at most `_CE_TARGET_GB_CAP`, unless half of what is free is less.
# Compiled, as it is by default, a chunk is its logits and their gradient in 16 bits: all between is fused.
CHUNK_RECKONED, CHUNK_BYTES, CHUNK_TARGET = 16, 2 + 2, 4 * 2**30


def loss_terms(shape: Shape, settings: Settled) -> Iterator[Term]:
    """Bytes while the loss and its gradient are computed, on one device."""
    tokens, vocabulary = settings.tokens, shape.vocab_size
    if settings.loss == "full":
        values = {"tokens": tokens, "vocab_size": vocabulary, "bytes_each": FULL_BYTES}
        yield Term("logits", values, FULL_BYTES * tokens * vocabulary)
        return
    head = vocabulary * shape.hidden_size if settings.method == "full" else 0
    if settings.loss == "tiles":
        rows, columns = min(tokens, TILE_TOKENS), min(vocabulary, TILE_VOCABULARY)
        yield Term("logits_tile", {"tokens": rows, "vocab_size": columns}, 2 * rows * columns)
        # the gradient of the hidden states in 32 bits, beside themselves; that of a trained head likewise
        yield _hidden(shape, tokens, 4 + 2)
        if head:
            yield Term("head_gradient", {"parameters": head, "bytes_each": 4}, 4 * head)
        return
    fixed = 2 * tokens * shape.hidden_size + 2 * 2 * head
    rows = -(-tokens // _chunks(tokens, vocabulary, fixed))
    values = {"tokens": rows, "vocab_size": vocabulary, "bytes_each": CHUNK_BYTES}
    yield Term("logits_chunk", values, CHUNK_BYTES * rows * vocabulary)
    yield _hidden(shape, tokens, 2 + 2)
    if head:
        yield Term("head_gradient", {"parameters": head, "bytes_each": 4}, 4 * head)


def _hidden(shape: Shape, tokens: int, each: int) -> Term:
    values = {"tokens": tokens, "hidden_size": shape.hidden_size, "bytes_each": each}
    return Term("last_hidden", values, each * tokens * shape.hidden_size)


def _chunks(tokens: int, vocabulary: int, fixed: int) -> int:
    """Into how many pieces Unsloth cuts the tokens (`get_chunk_size`): one, or a multiple of four."""
    target = CHUNK_TARGET - fixed if 0 < fixed < CHUNK_TARGET else CHUNK_TARGET
    exact = tokens * vocabulary * CHUNK_RECKONED / target
    return 1 if exact <= 1 else min(-(-int(-(-exact // 1)) // 4) * 4, tokens)
