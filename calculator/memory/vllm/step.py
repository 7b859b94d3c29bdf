"""The peak of one step, as the server measures it before it plans its cache.

Sources (vLLM 0.33.0): `v1/worker/gpu/model_runner.py` (`profile_run`: the encoder, then a full batch without attention
while what was encoded is kept, then the sampler on one row for each of `max_num_seqs` with every parameter set, while
the batch's hidden states are still held), `v1/worker/gpu/sample/sampler.py` (`apply_sampling_params`: the logits once
more in f32), `v1/sample/ops/topk_topp_sampler.py` (`flashinfer_sample`) and FlashInfer 0.7.2 `sampling.py`
(`top_k_top_p_sampling_from_logits`: masked logits and probabilities beside them).

Experts work in a buffer that stays (`v1/worker/workspace.py`, `fused_moe/modular_kernel.py`, `_allocate_buffers`), so
the sampler runs beside it; kernels of data-centre Blackwell and Hopper's of MXFP4 allocate their own for the moment
(`fused_moe/experts/`: `trtllm_*.py`, `gpt_oss_triton_kernels_moe.py`). Copies of a model gather the tokens of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.activations import expert_workspaces, widest_layer
from calculator.memory.vllm.encoder import Encoding
from calculator.memory.workload import Term

ACTIVATION_BYTES = 2
LOGIT_BYTES = 2 + 4 + 4 + 4  # in the model's dtype; in f32 as processed, as masked, and as probabilities
BARE_LOGIT_BYTES = 2 + 4  # where the sampler only looks for the largest
SORTED_LOGIT_BYTES = 40
"""Where the sampler sorts, with room for the sort itself (`apply_top_k_top_p_pytorch`): 38 to 39.3 bytes in six public
logs of builds without another sampler."""


class Batch(NamedTuple):
    """What a step holds and how the model is spread. `whole_experts`: each lies on one rank; `keeps_workspaces`: the
    kernel of experts works in the buffer that stays."""

    tokens: int
    sequences: int
    ranks: int
    depth: int = 1
    replicas: int = 1
    whole_experts: bool = False
    keeps_workspaces: bool = True


class Held(NamedTuple):
    """A term's key and values, without the number of its copies, and its bytes on one rank."""

    key: str
    values: dict[str, int]
    bytes: int


class Step:
    """Terms over all cards, and the bytes of one rank of each stage. The encoder runs on the first stage, the sampler
    on the last. `encoder`: the server takes images; `encoded` what of them, where that is known.

    The range, which the last stage's last term carries, is that of samplers: one that only takes the largest logit, and
    one that sorts all."""

    def __init__(self, shape: Shape, batch: Batch, *, encoder: bool = False, encoded: Encoding | None = None) -> None:
        def alive(stage: int, logit_bytes: int = LOGIT_BYTES) -> list[Held]:
            return _alive(shape, batch, stage, logit_bytes, encoder=encoder, encoded=encoded)

        stages = [alive(stage) for stage in range(batch.depth)]
        self.stage_bytes = [_bytes(stage) for stage in stages]
        beside = batch.ranks * batch.replicas
        distinct: dict[str, tuple[Held, int]] = {}
        for held in (held for stage in stages for held in stage):
            distinct[held.key] = (held, distinct.get(held.key, (held, 0))[1] + beside)
        terms = [
            Term(held.key, held.values | {"copies": copies}, held.bytes * copies) for held, copies in distinct.values()
        ]
        last = batch.depth - 1
        apart = [
            (_bytes(alive(last, logit_bytes)) - self.stage_bytes[last]) * beside
            for logit_bytes in (BARE_LOGIT_BYTES, SORTED_LOGIT_BYTES)
        ]
        terms[-1] = replace(terms[-1], range_bytes=(terms[-1].bytes + apart[0], terms[-1].bytes + apart[1]))
        self.terms: tuple[Term, ...] = tuple(terms)


def _bytes(alive: Sequence[Held]) -> int:
    return sum(held.bytes for held in alive)


@lru_cache(maxsize=1024)
def step(shape: Shape, batch: Batch, *, encoder: bool = False, encoded: Encoding | None = None) -> Step:
    """Kept, as a context length does not change it."""
    return Step(shape, batch, encoder=encoder, encoded=encoded)


def _alive(
    shape: Shape, batch: Batch, stage: int, logit_bytes: int, *, encoder: bool, encoded: Encoding | None
) -> list[Held]:
    """The largest set of tensors alive at once, with what stays."""
    first = encoder and stage == 0
    inputs = [_rows("input_embeddings", shape, batch.tokens)] if first else []
    cached = [_cached(shape, encoded)] if first and encoded else []
    moments = [[*_workspaces(shape, batch), *cached, _forward(shape, batch)]]
    if stage == batch.depth - 1:
        moments.append([*_workspaces(shape, batch), *cached, *_sampling(shape, batch, logit_bytes)])
    if first and encoded:
        moments.append([_encoding(encoded)])
    return [*inputs, *max(moments, key=_bytes)]


def _forward(shape: Shape, batch: Batch) -> Held:
    elements = widest_layer(shape, batch.ranks, workspaces_apart=batch.keeps_workspaces)
    return Held(
        "forward_pass", {"tokens": batch.tokens, "elements": elements}, batch.tokens * elements * ACTIVATION_BYTES
    )


def _sampling(shape: Shape, batch: Batch, logit_bytes: int) -> list[Held]:
    rows = min(batch.tokens, batch.sequences)
    values = {"sequences": rows, "vocab_size": shape.vocab_size, "bytes": logit_bytes}
    logits = Held("sampler", values, rows * shape.vocab_size * logit_bytes)
    return [logits, _rows("hidden_states_kept", shape, batch.tokens)]


def _workspaces(shape: Shape, batch: Batch) -> list[Held]:
    slices = 1 if batch.whole_experts else batch.ranks * batch.replicas
    elements = expert_workspaces(shape, slices) if batch.keeps_workspaces else 0
    tokens = batch.tokens * batch.replicas
    values = {"tokens": tokens, "elements": elements}
    return [Held("expert_workspaces", values, tokens * elements * ACTIVATION_BYTES)] if elements else []


def _rows(key: str, shape: Shape, tokens: int) -> Held:
    values = {"tokens": tokens, "hidden_size": shape.hidden_size}
    return Held(key, values, tokens * shape.hidden_size * ACTIVATION_BYTES)


def _cached(shape: Shape, encoded: Encoding) -> Held:
    return _rows("encoded_images", shape, encoded.items * encoded.tokens)


def _encoding(encoded: Encoding) -> Held:
    values = {"patches": encoded.at_once, "elements": encoded.elements}
    values |= {"all": encoded.items * encoded.patches, "kept": encoded.kept}
    return Held("encoder_pass", values, encoded.peak_bytes)
