"""A draft head beside its target: one shape, in which the head takes the place of the model's own prediction layers.

What goes with what is checked as the engines find out when they load both: hidden states of the target go into the
head, and words of the one are words of the other. What is kept: vLLM 0.33.0 `v1/spec_decode/llm_base_proposer.py`
(`_maybe_share_embeddings`, `_maybe_share_lm_head`: one of two equal tables) and `models/llama_eagle3.py`
(`load_weights`, which skips `t2d`); SGLang 0.5.23 `speculative/eagle_worker_v2.py` (`set_embed_and_head`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from calculator.architecture.draft_heads import DraftHead
from calculator.architecture.errors import ConfigError, Fault
from calculator.architecture.shape import Shape, Tensor

NOT_LOADED = frozenset({"t2d"})


def with_draft_head(shape: Shape, head: DraftHead) -> Shape:
    """`shape` with `head` beside it. Raises `ConfigError`, by the key of the head's file that does not go with it."""
    if faults := tuple(_faults(shape, head)):
        raise ConfigError.collect(faults)
    kept = tuple(tensor for tensor in shape.tensors if tensor.part != "mtp")
    return replace(
        shape,
        tensors=(*kept, *_loaded(shape, head)),
        mtp_mixers=head.mixers,
        mtp_feed_forwards=head.feed_forwards,
        undescribed_mtp=0,
        assumptions=(*shape.assumptions, *(one for one in head.assumptions if one not in shape.assumptions)),
        draft_head=head,
    )


def _faults(shape: Shape, head: DraftHead) -> Iterator[Fault]:
    same = (
        ("hidden_size", head.target_hidden_size, shape.hidden_size),
        ("vocab_size", head.vocab_size, shape.vocab_size),
        ("num_target_layers", head.target_layers, shape.num_layers),
    )
    for key, stated, own in same:
        if stated is not None and stated != own:
            yield Fault(key, "not_of_target", {"value": stated, "target": own})
    if head.deepest_layer is not None and head.deepest_layer >= shape.num_layers:
        last = shape.num_layers - 1
        yield Fault("target_layer_ids", "not_a_layer_of_target", {"value": head.deepest_layer, "most": last})


def _loaded(shape: Shape, head: DraftHead) -> Iterator[Tensor]:
    for tensor in head.tensors:
        if tensor.role not in NOT_LOADED.union(head.copies):
            yield tensor._replace(layer=shape.num_layers + (tensor.layer or 0))
