"""Softmax attention over cached keys and values: what it is and what it stores."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    FullAttention,
    Indexer,
    LatentAttention,
    SlidingWindowAttention,
)
from calculator.architecture.tensors import Block, Weight, linear, norm, vector

UNGROUPED = frozenset(
    {
        *("baichuan", "bloom", "gpt2", "gpt_neox", "gptj", "internlm", "mixformer-sequential", "phi-msft", "xverse"),
        *("biogpt", "codegen", "gpt_neo", "gptsan", "opt", "persimmon", "xglm"),
    }
)
"""Types whose files never say how many key/value heads there are: as many as query heads."""


QUERIES_STRAIGHT = frozenset({"mistral_large4_text"})
"""Types with a latent for keys and values whose queries have none, as their files take for granted."""


def geometry(c: Fields) -> tuple[int, int, int]:
    """Query heads, key/value heads and the size of one head, as nearly every config states them."""
    heads = c.size("num_heads")
    kv_heads = c.size("num_kv_heads", heads)
    if c.model_type not in UNGROUPED and not c.has("num_kv_heads"):
        c.taken.setdefault(c.key("num_kv_heads"), kv_heads)
    head_dim = c.size("head_dim", None) or max(c.size("hidden_size") // heads, 1)
    divides(c, "num_kv_heads", kv_heads, "num_attention_heads", heads)
    return heads, kv_heads, head_dim


def divides(c: Fields, name: str, value: int, of: str, total: int) -> None:
    """A fault where `value` does not divide `total`, unless there are others, of which this may come."""
    if total % value and not c.faults:
        c.fault(name, "does_not_divide", value=value, of=of, total=total)


def mixer(c: Fields, kind: str, heads: int, kv_heads: int, head_dim: int, value_head_dim: int = 0) -> Attention:
    """The attention of a layer of this kind. Raises ConfigError for a kind that is not plain attention."""
    if head_dim < 1:
        raise c.fail("num_heads", "out_of_range", value=heads, least=1, most=c.size("hidden_size"))
    value_head_dim = value_head_dim or head_dim
    if kind == "full":
        return FullAttention(num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, value_head_dim=value_head_dim)
    if kind == "sliding":
        return SlidingWindowAttention(
            num_heads=heads,
            num_kv_heads=kv_heads,
            head_dim=head_dim,
            value_head_dim=value_head_dim,
            window=c.size("sliding_window"),
        )
    if kind == "chunked":
        return ChunkedAttention(
            num_heads=heads,
            num_kv_heads=kv_heads,
            head_dim=head_dim,
            value_head_dim=value_head_dim,
            chunk=c.size("attention_chunk_size"),
        )
    raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)


def attention(
    hidden: int,
    spec: Attention,
    *,
    qkv_bias: bool = False,
    out_bias: bool = False,
    fused_qkv: bool = False,
    qk_norm: str = "",  # "head": one for all heads, "heads": one per head, "all": across all heads
    qk_norm_kind: str = "rms",
    gate: str = "",  # "elements": by output element, "joined": so, within the query projection, "heads": by head
    sinks: bool = False,
    own_kv: bool = True,
    has_values: bool = True,
) -> Block:
    """Attention with its projections, (output, input). `own_kv` is False where an earlier layer's cache is read."""
    queries, keys, values = (
        spec.num_heads * spec.head_dim,
        spec.num_kv_heads * spec.head_dim,
        spec.num_kv_heads * spec.value_head_dim,
    )
    output = spec.num_heads * spec.value_head_dim
    weights: tuple[Weight, ...] = ()
    if fused_qkv:
        weights += linear("attn_qkv", queries + keys + values, hidden, qkv_bias)
    else:
        weights += linear("attn_q", queries * (2 if gate == "joined" else 1), hidden, qkv_bias)
        if own_kv:
            weights += linear("attn_k", keys, hidden, qkv_bias)
            weights += linear("attn_v", values, hidden, qkv_bias) if has_values else ()
    weights += linear("attn_output", hidden, output, out_bias)
    if qk_norm:
        per_head = {"head": 0, "heads": 1, "all": 2}[qk_norm]
        sizes = [
            (spec.head_dim, (heads, spec.head_dim), heads * spec.head_dim)[per_head]
            for heads in (spec.num_heads, spec.num_kv_heads)
        ]
        weights += norm("attn_q_norm", sizes[0], qk_norm_kind)
        weights += norm("attn_k_norm", sizes[1], qk_norm_kind) if own_kv else ()
    if gate in ("elements", "heads"):
        weights += linear("attn_gate", output if gate == "elements" else spec.num_heads, hidden)
    if sinks:
        weights += vector("attn_sinks", spec.num_heads)
    return Block(weights, (spec,), shares_kv=not own_kv)


def latent_attention(
    c: Fields,
    *,
    indexer: Indexer | None = None,
    indexer_norm: str = "layer",
    bias: str = "attention_bias",
    gate: str = "",  # as of `attention`
    sinks: bool = False,
    rotary: bool = True,
) -> Block:
    """Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434), with the lightning indexer of DeepSeek-V3.2.

    Without positions (`rotary`) all of a query and a key is what otherwise only a part is, and no rotary key is kept.
    """
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    q_rank, kv_rank = c.size("q_lora_rank", None), c.size("kv_lora_rank")
    if q_rank is None and "q_lora_rank" not in c.config and c.model_type not in QUERIES_STRAIGHT:
        c.taken.setdefault(c.key("q_lora_rank"), 0)  # files say null where queries have no latent
    nope, rope = c.size("qk_nope_head_dim"), c.count("qk_rope_head_dim")
    nope, rope = (nope, rope) if rotary else (nope + rope, 0)
    value = c.size("value_head_dim")
    has_bias = c.flag(bias)
    c.ignore("num_kv_heads", "head_dim", "qk_head_dim")
    spec = LatentAttention(
        num_heads=heads,
        q_lora_rank=q_rank,
        kv_lora_rank=kv_rank,
        qk_nope_head_dim=nope,
        qk_rope_head_dim=rope,
        value_head_dim=value,
        indexer=indexer,
    )
    queries = heads * (nope + rope)
    if q_rank is None:
        weights = linear("attn_q", queries, hidden)
    else:
        weights = linear("attn_q_a", q_rank, hidden, has_bias) + norm("attn_q_a_norm", q_rank)
        # A.X K2's reads the queries' latent before and after its norm.
        joined = gate == "joined"
        weights += linear("attn_q_b", queries + heads * value * joined, q_rank * (1 + joined))
    weights += linear("attn_kv_a_mqa", kv_rank + rope, hidden, has_bias) + norm("attn_kv_a_norm", kv_rank)
    weights += linear("attn_kv_b", heads * (nope + value), kv_rank)
    weights += linear("attn_output", hidden, heads * value, has_bias)
    if sinks:
        weights += vector("attn_sinks", heads)
    if gate in ("elements", "heads"):
        weights += linear("attn_gate", heads if gate == "heads" else heads * value, hidden)
    if indexer is not None:
        weights += linear("indexer.attn_q_b", indexer.num_heads * indexer.head_dim, q_rank or hidden)
        weights += linear("indexer.attn_k", indexer.head_dim, hidden)
        weights += norm("indexer.k_norm", indexer.head_dim, indexer_norm)
        weights += linear("indexer.proj", indexer.num_heads, hidden)
    return Block(weights, (spec,))


def read_indexer(c: Fields) -> Indexer:
    return Indexer(num_heads=c.size("index_n_heads"), head_dim=c.size("index_head_dim"), top_k=c.size("index_topk"))
