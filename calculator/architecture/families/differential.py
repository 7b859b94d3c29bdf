"""Attention whose heads are subtracted from each other (arXiv:2410.05258), in Motif's decoders.

Sources: the publisher's class for vLLM (Motif 2.6B) and notes on that of Motif 3, and ports of the code in the
repositories: of Motif 2 to MLX, of Motif 3 to MLX and to GGUF, which lists all tensors of the checkpoint. The counts
are those of published checkpoints.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import divides, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import SlidingWindowAttention
from calculator.architecture.tensors import Block, Weight, linear, norm, norms, vector

MOST_STREAMS = 64  # Motif 3 has four; tables grow with the third power
POLYNOMIAL = vector("ffn_act", 4)  # three factors and a constant of PolyNorm (arXiv:2411.03884)


def motif(c: Fields) -> Decoder:
    word = c.word("hidden_act", "poly_norm")
    if word != "poly_norm":
        raise c.fail("hidden_act", "unsupported_value", value=word[:40])
    return _latent(c) if c.has("kv_lora_rank") else _plain(c)


def _plain(c: Fields) -> Decoder:
    """Half of the heads are subtracted from the other half or, where `num_noise_heads` are stated, each of these from
    the group that it belongs to; the output reads what two values of each made."""
    hidden, heads, bias = c.size("hidden_size"), c.size("num_heads"), c.flag("use_bias")
    kv_heads, head_dim = c.size("num_kv_heads", heads), c.size("head_dim", None) or max(hidden // heads, 1)
    noise, ratio = c.size("num_noise_heads", None), c.size("k_ratio", 1)
    c.ignore("attention_cls", "fused_rope", "max_window_layers", "sliding_window", "use_sliding_window", "expanded")
    output, value_heads = heads * head_dim, kv_heads
    if noise is not None and not c.faults:
        if not 1 <= noise <= heads - noise:
            raise c.fail("num_noise_heads", "out_of_range", value=noise, least=1, most=heads // 2)
        divides(c, "num_noise_heads", noise, "num_attention_heads", heads)
        output = 2 * ((heads - noise) // noise) * noise * head_dim
        value_heads = 2 * (kv_heads // (ratio + 1))
    spec = mixer(c, "full", heads, kv_heads, head_dim)
    if value_heads != kv_heads:
        raise c.fail("k_ratio", "unsupported_value", value=ratio)
    weights = linear("attn_q", heads * head_dim, hidden, bias) + linear("attn_k", kv_heads * head_dim, hidden, bias)
    weights += linear("attn_v", kv_heads * head_dim, hidden, bias) + linear("attn_output", hidden, output, bias)
    weights += vector("attn_lambda", 4, head_dim) + norm("attn_sub_norm", 2 * head_dim)
    feed_forward = dense(hidden, c.size("intermediate_size"), bias=bias) + Block(POLYNOMIAL)
    return decoder(c, [norms(PRE_NORMS, hidden) + Block(weights, (spec,)) + feed_forward] * c.size("num_layers"))


def _latent(c: Fields) -> Decoder:
    """Motif 3: keys and values come through a narrow space and are kept wide; most layers see a window. Experts have
    polynomials of their own, and four residual streams lie around each part."""
    hidden, number, heads = c.size("hidden_size"), c.size("num_layers"), c.size("num_heads")
    kv_heads, head_dim, value = c.size("num_kv_heads", heads), c.size("head_dim"), c.size("value_head_dim")
    q_rank, kv_rank, rope = c.size("q_lora_rank"), c.size("kv_lora_rank"), c.size("qk_rope_head_dim")
    if rope > head_dim and not c.faults:
        raise c.fail("qk_rope_head_dim", "out_of_range", value=rope, least=1, most=head_dim)
    signal = heads - c.size("num_noise_heads")
    if signal < 1 and not c.faults:
        raise c.fail("num_noise_heads", "out_of_range", value=heads - signal, least=1, most=heads - 1)
    weights = linear("attn_q_a", q_rank, hidden) + norm("attn_q_a_norm", q_rank)
    weights += linear("attn_q_b", heads * head_dim, q_rank) + linear("attn_gate", signal * value, q_rank)
    weights += linear("attn_kv_a_mqa", kv_rank + rope, hidden) + norm("attn_kv_a_norm", kv_rank)
    weights += linear("attn_kv_b", kv_heads * (head_dim - rope + value), kv_rank)
    weights += linear("attn_lambda", signal, hidden) + linear("attn_output", hidden, signal * value)
    kinds = _windows(c, number)
    c.ignore(
        "attention_cls",
        "mhc_enabled",
        "route_norm",
        "interleave_moe_layer_step",
        "num_expert_groups",
        "qk_nope_head_dim",
    )
    c.ignore("sliding_window", "num_active_expert_groups", "mhc_sinkhorn_iters", "original_seq_len", "layer_types")
    active = c.size("experts_top_k", None) or c.size("num_active_experts", 1)
    c.config = {**c.config, "num_experts_per_tok": active}
    streams = _streams(c, hidden, _rate(c)) if c.flag("mhc_enabled", True) else Block()
    around = norms(PRE_NORMS, hidden) + streams
    attend = {kind: _attends(c, weights, kind, heads, kv_heads, head_dim, value) for kind in dict.fromkeys(kinds)}
    spec = read_experts(c, shared="count")
    polynomials = Weight("ffn_act_exps", (spec.num_experts, 4), routed=True)
    routed = experts(hidden, spec, correction="bias") + Block((polynomials, *vector("ffn_act_shexp", 4)))
    simple = dense(hidden, c.size("intermediate_size")) + Block(POLYNOMIAL)
    first = min(c.count("n_dense_first_layers"), number)
    layers = {(kind, part): around + attend[kind] + (simple if part else routed) for kind in attend for part in (0, 1)}
    guesses = norms(PRE_NORMS, hidden) + _attends(c, weights, "full", heads, kv_heads, head_dim, value) + simple
    guesses += norms(("nextn.enorm", "nextn.shared_head_norm"), hidden) + Block(
        linear("nextn.eh_proj", hidden, 2 * hidden)
    )
    model = decoder(c, [layers[kind, int(index < first)] for index, kind in enumerate(kinds)])
    return replace(model, mtp=[guesses] * c.count("num_mtp_layers"))


def _windows(c: Fields, number: int) -> list[str]:
    """The first layer and every fourth see all, or none does ("all")."""
    period, word = c.size("sliding_window_period", 4), c.word("sliding_window_pattern", "interleave")
    if word not in ("interleave", "all"):
        raise c.fail("sliding_window_pattern", "unsupported_value", value=word[:40])
    windowed = c.flag("use_sliding_window", True) and c.value("sliding_window") is not None
    return ["sliding" if windowed and (word == "all" or index % period) else "full" for index in range(number)]


def _attends(c: Fields, weights: tuple[Weight, ...], kind: str, *sizes: int) -> Block:
    """Keys and values are kept as wide as the heads, not as the narrow space. A token sees as many before it as the
    window says, and itself."""
    spec = mixer(c, kind, *sizes)
    if isinstance(spec, SlidingWindowAttention):
        spec = replace(spec, window=spec.window + 1)
    return Block(weights, (spec,))


def _rate(c: Fields) -> int:
    if (rate := c.size("mhc_expansion_rate")) > MOST_STREAMS:
        raise c.fail("mhc_expansion_rate", "out_of_range", value=rate, least=1, most=MOST_STREAMS)
    return rate


def _streams(c: Fields, hidden: int, number: int) -> Block:
    """Hyper-connections (arXiv:2409.19606) with a norm over all streams."""
    weights: tuple[Weight, ...] = ()
    for part in ("attn", "ffn"):
        for name, rows in (("pre", number), ("post", number), ("res", number * number)):
            weights += linear(f"hc_{part}_{name}", rows, number * hidden) + vector(
                f"hc_{part}_{name}", rows, kind="bias"
            )
            weights += vector(f"hc_{part}_{name}_scale", 1)
        weights += norm(f"hc_{part}_norm", number * hidden)
    return Block(weights)


FAMILIES: dict[str, Family] = {"Motif": motif, "motif": motif}
