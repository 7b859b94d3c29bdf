"""How a stage is split over its ranks: heads, widths and vocabulary. SGLang took these layers over from vLLM.

Sources (vLLM 0.33.0): `distributed/utils.py` (`divide`), `model_executor/layers/linear.py` (column,
row, QKV and replicated linear layers), `vocab_parallel_embedding.py` (`pad_vocab_size`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from calculator.architecture.draft_heads import DraftHead
from calculator.architecture.shape import (
    NGRAMS,
    VALUE_EXPERTS,
    Attention,
    Dense,
    Experts,
    FeedForward,
    LatentAttention,
    LinearAttention,
    Mixer,
    Shape,
    StateSpace,
)
from calculator.memory.checkpoint import ceil_div
from calculator.memory.tensors import TensorGroup, category
from calculator.memory.workload import WorkloadError

VOCAB_PADDING = 64

INPUT_SPLIT = frozenset(
    {
        *("attn_output", "attn_output_b", "ssm_out", "ssm_x", "shortconv.out_proj"),
        *("ffn_down", "ffn_down_shexp", "ffn_down_exps", "ffn_down_vision_exps"),
    }
)
"""Row-parallel: a rank holds a slice of the input, and ranks add up their results."""

KV_SPLIT = frozenset({"attn_k", "attn_v", VALUE_EXPERTS})
"""By key/value heads; a rank holds at least one, so they repeat when there are more ranks than heads."""

REPLICATED = frozenset(
    {
        *("attn_q_a", "attn_kv_a_mqa", "attn_k_norm", "attn_q_norm", "attn_rot_embd", "ssm_f_a", "ssm_g_a"),
        *("ffn_gate_inp_shexp", "ffn_gate_tid2eid"),
    }
)
"""Whole on every rank: the latent of MLA, routers, norms, and every projection of the sparse-attention indexer."""

OUTPUT_SPLIT = (
    *("attn_q", "attn_gate", "attn_output_a", "attn_kv_b", "attn_k_b", "attn_v_b", "attn_sinks"),
    *("ffn_gate", "ffn_up", "ssm_", "shortconv."),
)
"""Column-parallel, by the beginning of their names: a rank holds a slice of the output."""


TOWER_OUTPUT_SPLIT = frozenset(
    {
        "attn_q",
        "attn_k",
        "attn_v",
        "attn_qkv",
        "ffn_gate",
        "ffn_up",
        "0",
        "1",
        "gate",
        "up",
        "deepstack.fc0",
        "model.mlp.1",
        "model.fc",
    }
)
TOWER_INPUT_SPLIT = frozenset({"attn_out", "ffn_down", "2", "down", "deepstack.fc2", "model.mlp.2"})


def padded_vocabulary(rows: int) -> int:
    return ceil_div(rows, VOCAB_PADDING) * VOCAB_PADDING


def rank_shape(group: TensorGroup, ranks: int) -> tuple[int, int]:
    """Rows and columns of the matrix that one rank holds. A vector has one column.

    >>> rank_shape(TensorGroup("attn_k", (1024, 4096), "BF16", "weight", "text", 32, 8, (0,)), 16)
    (128, 4096)
    """
    rows, columns, role = group.rows, group.columns, group.role
    if group.part != "text":
        return _tower_shape(group, ranks)
    if role in ("token_embd", "output", "per_layer_token_embd", "nextn.shared_head_head"):
        return ceil_div(padded_vocabulary(rows), ranks), columns
    if role == NGRAMS:  # all tables are one embedding behind one another (`longcat_flash_ngram.py`)
        return ceil_div(rows, ranks), columns
    if role in INPUT_SPLIT:
        return (rows, ceil_div(columns, ranks)) if group.kind == "weight" else (rows, columns)
    if role in KV_SPLIT:
        return ceil_div(rows, min(ranks, group.num_kv_heads or ranks)), columns
    if role == "attn_qkv" and group.num_kv_heads:
        heads = group.num_heads + 2 * group.num_kv_heads
        kept = ceil_div(group.num_heads, ranks) + 2 * ceil_div(group.num_kv_heads, ranks)
        return rows * kept // heads, columns
    if role in REPLICATED or "norm" in role or category(role) == "router" or not role.startswith(OUTPUT_SPLIT):
        return rows, columns
    return ceil_div(rows, ranks), columns


def _tower_shape(group: TensorGroup, ranks: int) -> tuple[int, int]:
    """Encoders are split as well (`mm_encoder_tp_mode`, `weights` by default): attention, feed-forward and projector.
    Patches, positions and norms are whole on every rank."""
    name = group.role.removeprefix("v.").removeprefix("a.").removeprefix("mm.")
    if name in TOWER_OUTPUT_SPLIT:
        return ceil_div(group.rows, ranks), group.columns
    if name in TOWER_INPUT_SPLIT and group.kind == "weight":
        return group.rows, ceil_div(group.columns, ranks)
    return group.rows, group.columns


def check(
    shape: Shape,
    tensor_parallel: int,
    pipeline_parallel: int,
    *,
    attention_ranks: int | None = None,
    expert_ranks: int | None = None,
) -> None:
    """Raise `WorkloadError` where an engine refuses to start; the error names the size that does not divide.

    Attention and each expert may be split over fewer ranks than the rest.
    """
    if pipeline_parallel > shape.num_layers:
        raise WorkloadError(
            "pipeline_parallel", "more_stages_than_layers", value=pipeline_parallel, most=shape.num_layers
        )
    over = {"mixer": attention_ranks or tensor_parallel, "expert": expert_ranks or tensor_parallel}
    _check_sizes(_split_sizes(shape), over, tensor_parallel)


def check_head(head: DraftHead, tensor_parallel: int, *, attention_ranks: int) -> None:
    """Likewise for a draft head, which is split like its target."""
    sizes = _sizes_of(zip(head.mixers, head.feed_forwards, strict=True))
    _check_sizes(sizes, {"mixer": attention_ranks}, tensor_parallel)


def _check_sizes(sizes: Iterable[tuple[str, int, str]], over: Mapping[str, int], tensor_parallel: int) -> None:
    for name, size, kind in sizes:
        ranks = over.get(kind, tensor_parallel)
        heads_repeat = name == "num_kv_heads" and ranks % size == 0
        if size % ranks and not heads_repeat:
            raise WorkloadError("tensor_parallel", "not_divisible", value=ranks, name=name, size=size)


@lru_cache(maxsize=64)
def _split_sizes(shape: Shape) -> tuple[tuple[str, int, str], ...]:
    """Name, size, and what is split: a mixer, an expert or the rest."""
    sizes = _sizes_of((layer.mixers, layer.feed_forward) for layer in shape.layers)
    return (*sizes, ("padded_vocab_size", padded_vocabulary(shape.vocab_size), ""))


def _sizes_of(layers: Iterable[tuple[tuple[Mixer, ...], FeedForward | None]]) -> tuple[tuple[str, int, str], ...]:
    """As `_split_sizes` says, each once."""
    sizes: dict[tuple[str, int, str], None] = {}
    for mixers, feed_forward in layers:
        for mixer in mixers:
            if isinstance(mixer, Attention):
                sizes["num_heads", mixer.num_heads, "mixer"] = None
                sizes["num_kv_heads", mixer.num_kv_heads, "mixer"] = None
            elif isinstance(mixer, LatentAttention):
                sizes["num_heads", mixer.num_heads, "mixer"] = None
            elif isinstance(mixer, LinearAttention):
                sizes["linear_num_key_heads", mixer.num_key_heads, "mixer"] = None
                sizes["linear_num_value_heads", mixer.num_value_heads, "mixer"] = None
            elif isinstance(mixer, StateSpace) and mixer.version == 2:
                sizes["mamba_num_heads", mixer.num_heads, "mixer"] = None
            elif isinstance(mixer, StateSpace):
                sizes["mamba_inner_size", mixer.inner_size, "mixer"] = None
        if isinstance(feed_forward, Dense):
            sizes["intermediate_size", feed_forward.intermediate_size, ""] = None
        elif isinstance(feed_forward, Experts):
            sizes["moe_intermediate_size", feed_forward.expert_size, "expert"] = None
    return tuple(sizes)
