"""A draft head beside its target: one shape, in which the head takes the place of the model's own prediction layers.

What fits what is checked as the engines check it when they load both: vLLM 0.33.0 `config/speculative.py` and
`v1/spec_decode/llm_base_proposer.py`; SGLang 0.5.23 `speculative/eagle_worker_v2.py`.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.draft_heads import DraftHead
from calculator.architecture.errors import ConfigError, Fault
from calculator.architecture.shape import Shape, Tensor


def with_draft_head(shape: Shape, head: DraftHead) -> Shape:
    """`shape` with `head` beside it. Raises `ConfigError`, by the key of the head's file that does not go with it."""
    if faults := tuple(_faults(shape, head)):
        raise ConfigError.collect(faults)
    kept = tuple(tensor for tensor in shape.tensors if tensor.part != "mtp")
    return replace(
        shape,
        tensors=(*kept, *_tensors(shape, head)),
        mtp_mixers=head.mixers,
        mtp_feed_forwards=(),
        undescribed_mtp=0,
        draft_head=head,
    )


def _faults(shape: Shape, head: DraftHead) -> list[Fault]:
    """Hidden states of the target go into the head, and tokens of the one are tokens of the other."""
    wanted = (
        ("hidden_size", head.target_hidden_size, shape.hidden_size),
        ("vocab_size", head.vocab_size, shape.vocab_size),
        ("num_target_layers", head.target_layers, shape.num_layers),
    )
    return [
        Fault(key, "not_of_target", {"value": stated, "target": own})
        for key, stated, own in wanted
        if stated is not None and stated != own
    ]


def _tensors(shape: Shape, head: DraftHead) -> list[Tensor]:
    return [
        Tensor(weight.role, weight.shape, shape.num_layers, head.dtype, "mtp", weight.kind, weight.routed)
        for weight in head.weights
    ]
