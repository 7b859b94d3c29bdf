"""Attention mixed with linear attention or short convolutions."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, geometry, latent_attention, mixer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.dense import BIASED
from calculator.architecture.families.sparse import every_sparse_step
from calculator.architecture.families.standard import (
    POST_NORMS,
    PRE_NORMS,
    SANDWICH_NORMS,
    Family,
    Sparse,
    Standard,
    first_dense,
)
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.linear_attention import (
    gated_delta,
    kimi_delta,
    lightning,
    short_convolution,
)
from calculator.architecture.prediction import around
from calculator.architecture.shape import Attention
from calculator.architecture.tensors import Block, Weight, norm, norms


def lfm2_kinds(c: Fields) -> list[str]:
    number = c.size("num_layers")
    full = c.sizes("full_attn_idxs")
    if c.has("layer_types"):
        return layer_kinds(c)
    return ["full" if full is None or i in full else "convolution" for i in range(number)]


def lfm3_kinds(c: Fields) -> list[str]:
    def kind(index: int) -> str:
        return {2: "full", 0: "sliding" if index else "convolution"}.get(index % 4, "convolution")

    return layer_kinds(c) if c.has("layer_types") else [kind(index) for index in range(c.size("num_layers"))]


def lfm2_size(c: Fields) -> int:
    """LFM2 rounds two thirds of the stated size up to a multiple."""
    size = c.size("intermediate_size")
    multiple = c.size("block_multiple_of", 256)
    factor = c.number("block_ffn_dim_multiplier", 1)
    if not c.flag("block_auto_adjust_ff_dim", True):
        return size
    size = int(factor * int(2 * size / 3))
    return multiple * -(-size // multiple)


def every_interval_full(c: Fields) -> list[str]:
    """Linear attention, with full attention every `full_attention_interval` layers (Qwen3-Next)."""
    return layer_kinds(c, "R" * (c.size("full_attention_interval", 4) - 1) + "F")


def qwen3_next_delta(c: Fields) -> Block:
    return gated_delta(c, joined_beta=True)


def kimi_linear(c: Fields) -> Decoder:
    """Kimi Linear: Kimi delta and latent attention; `linear_attn_config` counts layers from 1."""
    number, inner = c.size("num_layers"), c.part("linear_attn_config", c.model_type)
    if inner is not None:
        full, linear_layers = inner.sizes("full_attn_layers") or [], inner.sizes("kda_layers") or []
        linear_layers = linear_layers or sorted(set(range(1, number + 1)) - set(full))
        inner.ignore("num_kda_layers")
        if not c.faults and sorted(full + linear_layers) != list(range(1, number + 1)):
            raise inner.fail("kda_layers", "wrong_length", length=len(full) + len(linear_layers), expected=number)
        kinds = ["full" if i + 1 in full else "recurrent" for i in range(number)]
        heads, head_dim = inner.size("num_heads"), inner.size("head_dim")
        kernel = inner.size("short_conv_kernel_size")
        full_rank, bounded = inner.flag("use_full_rank_gate"), inner.has("gate_lower_bound")
        c.ignore("layer_types")
    else:
        kinds = layer_kinds(c, "RRRF")
        heads, head_dim = c.size("linear_num_heads"), c.size("linear_head_dim")
        kernel, full_rank, bounded = c.size("linear_conv_kernel_dim"), False, c.has("gate_lower_bound")
    c.ignore("num_expert_group", "linear_num_heads", "linear_head_dim", "linear_conv_kernel_dim", "mla_use_nope")
    c.ignore("use_grouped_topk", "moe_router_activation_func")
    mixers = {
        "full": latent_attention(c, gate="elements" if c.flag("mla_use_output_gate") else ""),
        "recurrent": kimi_delta(c, heads, head_dim, kernel, low_rank_gate=not full_rank, bounded_gate=bounded),
    }
    return _latent_and_sparse(c, kinds, mixers, first_dense(c, 1))


def bailing_hybrid(c: Fields) -> Decoder:
    """Ling 3: as Kimi Linear, with full-rank decay and gate, and a gate by head on latent attention. Ling 2.5 and 2.6,
    which norm their output by groups (`group_norm_size`), bear the same name."""
    kinds = layer_kinds(c, "R" * (c.size("layer_group_size") - 1) + "F")
    heads, head_dim = c.size("num_heads"), c.size("head_dim")
    if c.has("group_norm_size"):
        return _before_ling3(c, kinds, heads, head_dim)
    if c.has("linear_head_dim"):  # as transformers writes it, where head_dim is the rotary part
        heads, head_dim = c.size("linear_num_heads"), c.size("linear_head_dim")
    kernel = c.size("short_conv_kernel_size", 4)
    c.ignore("linear_num_heads", "linear_head_dim", "linear_conv_kernel_dim", "num_expert_group", "kda_safe_gate")
    mixers = {
        "full": latent_attention(c, gate="heads"),
        "recurrent": kimi_delta(c, heads, head_dim, kernel, low_rank_decay=False, low_rank_gate=False),
    }
    return _latent_and_sparse(c, kinds, mixers, first_dense(c))


def _before_ling3(c: Fields, kinds: list[str], heads: int, head_dim: int) -> Decoder:
    """Lightning attention with normed queries and keys, and latent attention (vLLM 0.33.0, `bailing_moe_linear.py`)."""
    c.ignore("group_norm_size", "linear_silu", "num_expert_group", "kda_safe_gate", "short_conv_kernel_size")
    own = norm("attn_q_norm", head_dim) + norm("attn_k_norm", head_dim) if c.flag("use_qk_norm", True) else ()
    mixers = {"full": latent_attention(c), "recurrent": lightning(c, heads, head_dim) + Block(own)}
    return _latent_and_sparse(c, kinds, mixers, first_dense(c))


def _latent_and_sparse(c: Fields, kinds: list[str], mixers: dict[str, Block], mlps: list[str]) -> Decoder:
    hidden = c.size("hidden_size")
    feed_forwards = {
        "dense": dense(hidden, c.size("intermediate_size")),
        "sparse": _latent_experts(c, hidden),
    }
    around = norms(PRE_NORMS, hidden)
    extra: tuple[Weight, ...] = ()
    if c.size("attn_res_block_size", None) is not None:  # Kimi K3: a learned vote over the outputs of earlier layers
        around += norms(("attn_res_norm", "attn_res_proj", "ffn_res_norm", "ffn_res_proj"), hidden)
        extra = norms(("output_res_norm", "output_res_proj"), hidden).weights
    pairs = list(zip(kinds, mlps, strict=True))
    for kind, mlp in pairs:
        if kind not in mixers or mlp not in feed_forwards:
            raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
    layers = {pair: around + mixers[pair[0]] + feed_forwards[pair[1]] for pair in dict.fromkeys(pairs)}
    return decoder(c, [layers[pair] for pair in pairs], extra=extra)


def _latent_experts(c: Fields, hidden: int) -> Block:
    """Kimi K3's routed experts work in a narrower space (`routed_expert_hidden_size`); its shared ones do not."""
    latent = c.size("routed_expert_hidden_size", None)
    spec = replace(read_experts(c, shared="count"), latent_size=latent)
    block = experts(hidden, spec, correction="buffer", latent_name="routed")
    if spec.latent_size is not None and c.flag("latent_moe_use_norm"):
        block += Block(norm("ffn_routed_norm", spec.latent_size))
    return block


def minimax_kinds(c: Fields) -> list[str]:
    number = c.size("num_layers")
    listed = c.sizes("attn_type_list", number)
    if listed is not None and not c.has("layer_types"):
        return ["full" if flag else "recurrent" for flag in listed]
    return layer_kinds(c, "FR")


def minimax_lightning(c: Fields) -> Block:
    heads = c.size("num_heads")
    return lightning(c, heads, c.size("head_dim", None) or c.size("hidden_size") // heads)


def olmo_hybrid(c: Fields) -> Decoder:
    """OLMo hybrid: norms before a linear layer's parts, after a full one's."""
    hidden, kinds = c.size("hidden_size"), layer_kinds(c, "RRRF")
    bias = c.flag("attention_bias")
    feed_forward = dense(hidden, c.size("intermediate_size"))
    full = attention(hidden, mixer(c, "full", *geometry(c)), qkv_bias=bias, out_bias=bias, qk_norm="all")
    layers = {
        "full": norms(POST_NORMS, hidden) + full + feed_forward,
        "recurrent": norms(PRE_NORMS, hidden) + gated_delta(c, apart=True) + feed_forward,
    }
    for kind in kinds:
        if kind not in layers:
            raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
    return decoder(c, [layers[kind] for kind in kinds])


def alice_delta(c: Fields) -> Block:
    heads, head_dim = c.size("linear_num_key_heads"), c.size("linear_key_head_dim")
    for name, same in (("linear_num_value_heads", heads), ("linear_value_head_dim", head_dim)):
        if not c.faults and c.size(name) != same:
            raise c.fail(name, "unsupported_value", value=c.size(name))
    return kimi_delta(c, heads, head_dim, c.size("linear_conv_kernel_dim"))


def alice_ai(c: Fields) -> Decoder:
    """Alice AI: Qwen3-Next's full attention, Kimi delta attention, and as in Kimi K3 a vote over earlier layers, which
    the first layer has none to make before attention (vLLM 0.33.0, `models/alice_ai.py`)."""
    hidden, extra = c.size("hidden_size"), c.count("num_mtp_layers")
    c.ignore("block_attn_res_block_size", "number_of_conv_states", "router_bias_correction", "num_mtp_layers")
    model = ALICE(c)
    guessing = next((block for block in reversed(model.layers) if isinstance(block.mixers[0], Attention)), None)
    before, after = norms(("attn_res_norm", "attn_res_proj"), hidden), norms(("ffn_res_norm", "ffn_res_proj"), hidden)
    inner = {id(block): before + after + block for block in model.layers}
    layers = [after + model.layers[0], *(inner[id(block)] for block in model.layers[1:])]
    final = norms(("output_res_norm", "output_res_proj"), hidden).weights
    mtp = [guessing + Block(around(hidden))] * extra if guessing else []
    return replace(model, layers=layers, shared=model.shared + final, mtp=mtp)


QWEN_FULL = replace(BIASED, qk_norm="head", gate="joined", windowed=every_interval_full)

ALICE = replace(
    QWEN_FULL,
    recurrent=alice_delta,
    sparse=Sparse(shared="size", shared_gate=True, layers=every_sparse_step, correction="bias"),
)


def agnes(c: Fields) -> Decoder:
    """Agnes 3: Qwen 3.5's layers with a second, narrower feed-forward beside the first (its classes for vLLM)."""
    words, interval = c.words("layer_types"), c.size("global_attention_interval", None)
    if interval is None and words:
        interval = next((index + 1 for index, word in enumerate(words) if word == GLOBAL), None)
    c.ignore("layer_types", "global_attention_interval")
    kept = {key: value for key, value in c.config.items() if key != "layer_types"}
    c.config = kept if interval is None else {**kept, "full_attention_interval": interval}
    model, narrow = FAMILIES["qwen3_5_text"](c), c.count("parallel_ffn_intermediate_size")
    if not narrow:
        return model
    beside = Block(tuple(w._replace(role=f"{w.role}_beside") for w in dense(c.size("hidden_size"), narrow).weights))
    layers = {id(block): block + beside for block in model.layers}
    like = next((block for block in reversed(model.layers) if isinstance(block.mixers[0], Attention)), None)
    guesses: tuple[Block, ...] = ()  # like the last that attends; without one they are counted, and not described
    if like is not None:
        guesses = (replace(like, weights=like.weights + around(model.hidden_size)),) * c.count("num_mtp_layers")
    return replace(model, layers=[layers[id(block)] for block in model.layers], mtp=guesses)


GLOBAL = "agnes_global_attention"
FAMILIES: dict[str, Family] = {
    "agnes_text": agnes,
    "alice_ai": alice_ai,
    "bailing_hybrid": bailing_hybrid,
    "kimi_linear": kimi_linear,
    "lara_mini": replace(BIASED, qk_norm="head", pattern="RSRFS", recurrent=gated_delta, sparse=Sparse(shared="size")),
    "lfm2": Standard(
        qk_norm="head",
        windowed=lfm2_kinds,
        convolution=short_convolution,
        size=lfm2_size,
        ignored=("block_dim", "block_use_swiglu", "conv_dim", "conv_dim_out"),
    ),
    "lfm2_moe": Standard(
        qk_norm="head",
        windowed=lfm2_kinds,
        convolution=short_convolution,
        sparse=Sparse(layers=first_dense, correction="buffer"),
    ),
    "lfm3": replace(
        BIASED,
        qk_norm="head",
        windowed=lfm3_kinds,
        gate_if=("use_attention_gate", "heads"),
        other_norms=("use_sandwich_norm", SANDWICH_NORMS),
        convolution=short_convolution,
    ),
    "minimax": Standard(windowed=minimax_kinds, recurrent=minimax_lightning, sparse=Sparse(size="intermediate_size")),
    "olmo_hybrid": olmo_hybrid,
    "qwen3_5_text": replace(QWEN_FULL, recurrent=gated_delta),
    "qwen3_5_moe_text": replace(QWEN_FULL, recurrent=gated_delta, sparse=Sparse(shared="size", shared_gate=True)),
    "qwen3_next": replace(
        QWEN_FULL,
        recurrent=qwen3_next_delta,
        sparse=Sparse(shared="size", shared_gate=True, layers=every_sparse_step),
    ),
}
FAMILIES["minimax_text_01"] = FAMILIES["minimax_m1"] = FAMILIES["minimax"]
