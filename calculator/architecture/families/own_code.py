"""Decoders of published files that bring code of their own, or that only an engine has code for.

Sources: SGLang's `models/iquest_q1.py` (October 2026), Snowflake's `modeling_arctic.py`, Upstage's `solar_open2.py`
for SGLang, vLLM 0.33.0's `models/k2_horizon.py`, llama.cpp's `src/models/spark2-5.cpp`. The counts are those of the
published checkpoints.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder, kind_of, layer_kinds
from calculator.architecture.families.dense import BIASED
from calculator.architecture.families.sparse import QK_NORMED, every_sparse_step
from calculator.architecture.families.standard import PRE_NORMS, Family, Sparse, Standard, first_dense
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.linear_attention import kimi_delta
from calculator.architecture.shape import VALUE_EXPERTS
from calculator.architecture.tensors import Block, Weight, linear, norms, vector


def hybrid_blocks(c: Fields) -> list[str]:
    """Kinds of the first layers, of a block that is repeated, and of the last."""
    number = c.size("num_layers")
    parts = [c.words(f"{name}_layers_types") or [] for name in ("first", "last")]
    block, times = c.words("hybrid_layers_types_block") or [], c.count("num_hybrid_layers_block")
    if c.has("layer_types"):
        return layer_kinds(c)
    windowed = c.flag("use_hybrid_layers", True) and c.flag("use_sliding_window", True)
    words = parts[0] + block * times + parts[1]
    if not windowed:
        return ["full"] * number
    if len(words) != number:
        raise c.fail("hybrid_layers_types_block", "wrong_length", length=len(words), expected=number)
    return [kind_of(c, word, "hybrid_layers_types_block") for word in words]


IQUEST_Q1 = replace(
    QK_NORMED,
    norms=("attn_norm", "post_attention_norm", "ffn_norm"),
    windowed=hybrid_blocks,
    size=lambda c: c.size("dense_intermediate_size"),
    sparse=Sparse(size="intermediate_size", layers=every_sparse_step),
)


def iquest_q1(c: Fields) -> Decoder:
    """A learned key in each layer takes attention that nothing else deserves; the first layer has a norm more."""
    c.ignore("no_rope_layers", "use_over_encoding", "moe_router_dtype")
    model, heads = IQUEST_Q1(c), geometry(c)
    sink = Block(vector("attn_sink_k", heads[1], heads[2])) if c.flag("enable_sink_attention", True) else Block()
    blocks = {id(block): block + sink for block in model.layers}
    first, *rest = (blocks[id(block)] for block in model.layers)
    return replace(model, layers=(first + norms(("post_ffw_norm",), c.size("hidden_size")), *rest))


def solar_open2(c: Fields) -> Decoder:
    """Kimi delta attention, and in the layers of `gqa_layers` (counted from 0) gated attention without positions."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    inner, listed = c.part("linear_attn_config", c.model_type), c.sizes("gqa_layers")
    interval = c.size("gqa_interval", 4)
    if c.flag("use_qk_norm"):
        raise c.fail("use_qk_norm", "unsupported_value", value=True)
    if c.has("layer_types"):
        kinds = layer_kinds(c)
    else:
        full = set(listed) if listed is not None else set(range(interval - 1, number, interval))
        kinds = ["full" if i in full else "recurrent" for i in range(number)]
    heads, _kv_heads, head_dim = geometry(c)
    at = inner or c
    kernel = at.size("short_conv_kernel_size", 4)
    wide, full_rank = inner.size("num_heads", heads) if inner else heads, c.flag("kda_use_full_proj")
    if inner:
        inner.ignore("kda_layers", "full_attn_layers", "num_kv_heads")
    c.ignore("kda_gate_lower_bound", "kda_allow_neg_eigval", "intermediate_size", "use_rope")
    softmax = replace(BIASED, out_bias=False, gate="elements" if c.flag("use_gqa_gate", True) else "")
    bias = vector("attn_gate", heads * head_dim, kind="bias") if c.flag("use_gqa_gate_bias") else ()
    mixers = {
        "full": softmax.mixer(c, "full") + Block(bias),
        "recurrent": kimi_delta(
            c,
            wide,
            inner.size("head_dim", head_dim) if inner else head_dim,
            kernel,
            low_rank_decay=not full_rank,
            low_rank_gate=not full_rank,
            bounded_gate=True,
        ),
    }
    mlps = first_dense(c)
    feed_forwards = {
        "sparse": experts(hidden, read_experts(c, shared="count"), correction="buffer"),
        **({"dense": dense(hidden, c.size("intermediate_size"))} if "dense" in mlps else {}),
    }
    around = norms(PRE_NORMS, hidden)
    layers = {kind: {mlp: around + mixers[kind] + block for mlp, block in feed_forwards.items()} for kind in mixers}
    return decoder(c, [layers[kind][mlp] for kind, mlp in zip(kinds, mlps, strict=True)])


def k2_horizon(c: Fields) -> Decoder:
    """K2 Horizon: norms by groups; where it has experts, those of `mova_num_experts` also make the values."""
    hidden, number_of = c.size("hidden_size"), c.count("num_experts")
    c.ignore("layernorm_num_groups", "rope_head_dim", "moe_intermediate_size", "mlp_bias")
    mlps = every_sparse_step(c) if number_of else ["dense"] * c.size("num_layers")
    heads, kv_heads, head_dim = geometry(c)
    bias, gate = c.flag("attention_bias"), c.word("attention_gate_func")
    qk_norm = "heads" if c.flag("query_key_norm") else ""
    spec = mixer(c, "sliding" if c.flag("use_sliding_window") else "full", heads, kv_heads, head_dim)
    makers, chosen = c.count("mova_num_experts"), c.count("mova_num_experts_per_tok")
    routed = c.flag("moe_gate_bias")
    c.ignore("sliding_window")

    def attends(mlp: str) -> Block:
        mixed = mlp == "sparse" and makers > 0
        plain = attention(
            hidden,
            spec,
            qkv_bias=bias,
            out_bias=bias,
            qk_norm=qk_norm,
            gate="elements" if gate else "",
            has_values=not mixed,
        )
        if not mixed:
            return plain
        values = Weight(VALUE_EXPERTS, (makers, kv_heads * head_dim, hidden), routed=True)
        return plain + Block((values, *linear("attn_gate_inp", makers, hidden, routed)))

    def feeds(mlp: str) -> Block:
        if mlp == "dense":
            return dense(hidden, c.size("intermediate_size"))
        spec = replace(read_experts(c, shared="count"), num_active_value_experts=chosen if makers else 0)
        return experts(hidden, spec, correction="bias" if routed else "")

    layers = {mlp: norms(PRE_NORMS, hidden) + attends(mlp) + feeds(mlp) for mlp in dict.fromkeys(mlps)}
    return decoder(c, [layers[mlp] for mlp in mlps])


def arctic(c: Fields) -> Decoder:
    """Snowflake Arctic: beside its experts a sparse layer has a dense feed-forward as wide as the model."""
    hidden, number, step = c.size("hidden_size"), c.size("num_layers"), c.size("moe_layer_frequency", 2)
    c.ignore("use_residual", "moe_token_dropping", "enable_expert_tensor_parallelism", "moe_min_capacity")
    c.ignore("moe_train_capacity_factor", "moe_eval_capacity_factor")
    size = c.size("intermediate_size")
    layer = norms(PRE_NORMS, hidden) + attention(hidden, mixer(c, "full", *geometry(c)))
    sparse = layer + experts(hidden, read_experts(c, expert_size="intermediate_size"))
    if c.flag("parallel_attn_mlp_res"):
        sparse += norms(("ffn_norm_exps",), hidden) + dense(hidden, hidden)
    kinds = {False: layer + dense(hidden, size), True: sparse}
    return decoder(c, [kinds[(index + 1) % step == 0] for index in range(number)])


def spark(c: Fields) -> Decoder:
    """Spark-X2.5: a gate for each head."""
    c.ignore("gate_attn_act_mode")
    return Standard(fused_qkv=True, gate="heads" if c.flag("headwise_attn_output_gate", True) else "")(c)


FAMILIES: dict[str, Family] = {
    "arctic": arctic,
    "iquest_q1": iquest_q1,
    "k2_horizon": k2_horizon,
    "solar_open2": solar_open2,
    "spark2_5": spark,
}
