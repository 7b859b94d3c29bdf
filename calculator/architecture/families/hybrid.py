"""Attention mixed with state space layers, linear attention or short convolutions."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, geometry, latent_attention, mixer
from calculator.architecture.decoder import Decoder, decoder, kind_of, layer_kinds
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
    gated_recurrence,
    kimi_delta,
    lightning,
    short_convolution,
)
from calculator.architecture.shape import Experts
from calculator.architecture.state_space import mamba1, mamba2
from calculator.architecture.tensors import Block, norm, norms


def pure_mamba(c: Fields) -> Decoder:
    c.ignore("intermediate_size", "num_heads", "head_dim")
    layer = norms(("attn_norm",), c.size("hidden_size")) + mamba1(c)
    return decoder(c, [layer] * c.size("num_layers"))


def pure_mamba2(c: Fields) -> Decoder:
    hidden, heads, head_dim = c.size("hidden_size"), c.size("num_heads"), c.size("head_dim")
    c.ignore("ssm_dt_rank", "intermediate_size")
    layer = norms(("attn_norm",), hidden) + mamba2(c, heads=heads, head_dim=head_dim)
    return decoder(c, [layer] * c.size("num_layers"))


def jamba(c: Fields) -> Decoder:
    """Jamba: attention every `attn_layer_period` layers, experts every `expert_layer_period`, offsets apart."""
    hidden, size, number = c.size("hidden_size"), c.size("intermediate_size"), c.size("num_layers")
    period, offset = c.size("attn_layer_period"), c.count("attn_layer_offset")
    expert_period, expert_offset = c.size("expert_layer_period"), c.count("expert_layer_offset")
    if c.has("layer_types"):
        kinds = layer_kinds(c)
    else:
        kinds = ["full" if i % period == offset else "recurrent" for i in range(number)]
    c.ignore("head_dim")
    mixers = {
        "full": attention(hidden, mixer(c, "full", *geometry(c))),
        "recurrent": mamba1(c, inner_norms=True),
    }
    sparse = [c.size("num_experts") > 1 and i % expert_period == expert_offset for i in range(number)]
    mlps = {False: dense(hidden, size), True: experts(hidden, read_experts(c, expert_size="intermediate_size"))}
    around = norms(PRE_NORMS, hidden)
    blocks = {(kind, flag): around + mixers[kind] + mlps[flag] for kind in mixers for flag in mlps}
    return decoder(c, [blocks[pair] for pair in zip(kinds, sparse, strict=True)])


def bamba_kinds(c: Fields) -> list[str]:
    full = set(c.sizes("attn_layer_indices") or ())
    if c.has("layer_types"):
        return layer_kinds(c)
    return ["full" if i in full else "recurrent" for i in range(c.size("num_layers"))]


def falcon_h1(c: Fields) -> Decoder:
    """Falcon-H1: attention and Mamba-2 side by side in every layer."""
    hidden = c.size("hidden_size")
    inner = c.size("mamba_d_ssm", None) or c.size("ssm_expand") * hidden
    bias, projector = c.flag("attention_bias"), c.flag("projectors_bias")
    c.ignore("ssm_bias", "mamba_norm_before_gate", "mamba_use_mlp")
    layer = norms(PRE_NORMS, hidden)
    layer += attention(hidden, mixer(c, "full", *geometry(c)), qkv_bias=bias, out_bias=bias)
    layer += mamba2(c, inner=inner, gate_norm=c.flag("mamba_rms_norm"))
    layer += dense(hidden, c.size("intermediate_size"), bias=c.flag("mlp_bias"))
    if projector:
        raise c.fail("projectors_bias", "unsupported_value", value=True)
    return decoder(c, [layer] * c.size("num_layers"))


def granite_hybrid(c: Fields) -> Decoder:
    """Granite 4 H: every layer has a shared feed-forward and, where there are experts, those too."""
    hidden, kinds = c.size("hidden_size"), layer_kinds(c, "R")
    bias, number = c.flag("attention_bias"), c.count("num_experts")
    shared = c.count("shared_expert_size")
    c.ignore("intermediate_size", "num_active_experts")
    mixers = {"full": attention(hidden, mixer(c, "full", *geometry(c)), qkv_bias=bias, out_bias=bias)}
    if "recurrent" in kinds:
        mixers["recurrent"] = mamba2(c)
    else:
        c.ignore(*MAMBA_KEYS)
    if number:
        spec = Experts(
            num_experts=number,
            num_active_experts=c.size("num_active_experts"),
            expert_size=c.size("intermediate_size"),
            num_shared_experts=1,
            shared_size=shared,
        )
        feed_forward = experts(hidden, spec, shared_fused=True)
    else:
        feed_forward = dense(hidden, shared, fused=True)
    layers = {kind: norms(PRE_NORMS, hidden) + block + feed_forward for kind, block in mixers.items()}
    for kind in kinds:
        if kind not in layers:
            raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
    return decoder(c, [layers[kind] for kind in kinds])


MAMBA_KEYS = (
    "ssm_state_size",
    "ssm_conv_kernel",
    "ssm_expand",
    "ssm_heads",
    "ssm_head_dim",
    "ssm_groups",
    "ssm_conv_bias",
    "ssm_bias",
)


def nemotron_h(c: Fields) -> Decoder:
    """Nemotron-H: every block is one thing: Mamba-2 (M), attention (*), a feed-forward (-) or experts (E)."""
    hidden = c.size("hidden_size")
    kinds = _nemotron_kinds(c)
    bias, mlp_bias = c.flag("attention_bias"), c.flag("mlp_bias")
    c.ignore("num_layers", "ssm_expand", "use_bias", "mamba_proj_bias", "ssm_conv_bias", "hybrid_override_pattern")
    c.ignore("mtp_hybrid_override_pattern", "mtp_layers_block_type", "moe_shared_expert_overlap", "moe_latent_size")
    c.ignore("ssm_dt_rank")
    heads, head_dim = c.size("ssm_heads", 1), c.size("ssm_head_dim", 1)

    def block(kind: str) -> Block:
        if kind == "recurrent":
            return mamba2(c, inner=heads * head_dim, heads=heads, head_dim=head_dim)
        if kind == "full":
            return attention(hidden, mixer(c, "full", *geometry(c)), qkv_bias=bias, out_bias=bias)
        if kind == "dense":
            return dense(hidden, c.size("intermediate_size"), gated=False, bias=mlp_bias)
        if kind == "sparse":
            spec = read_experts(c, shared="size")
            spec = replace(spec, latent_size=c.size("moe_latent_size", None), shared_size=spec.shared_size)
            return experts(hidden, spec, gated=False, correction="buffer")
        raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)

    c.ignore("num_experts", "num_active_experts", "expert_size", "shared_expert_size", "num_shared_experts")
    c.ignore("num_heads", "num_kv_heads", "head_dim", "intermediate_size", *MAMBA_KEYS)
    blocks = {kind: norms(("attn_norm",), hidden) + block(kind) for kind in dict.fromkeys(kinds)}
    return decoder(c, [blocks[kind] for kind in kinds])


def _nemotron_kinds(c: Fields) -> list[str]:
    pattern = c.word("hybrid_override_pattern")
    if pattern and not c.has("layer_types"):
        words = {"M": "recurrent", "*": "full", "-": "dense", "E": "sparse"}
        unknown = next((letter for letter in pattern if letter not in words), None)
        if unknown:
            raise c.fail("hybrid_override_pattern", "unknown_layer_kind", kind=unknown, model_type=c.model_type)
        return [words[letter] for letter in pattern]
    listed = c.words("layer_types")
    if listed is None:
        raise c.fail("layers_block_type", "missing")
    return [kind_of(c, word) for word in listed]


def lfm2_kinds(c: Fields) -> list[str]:
    number = c.size("num_layers")
    full = c.sizes("full_attn_idxs")
    if c.has("layer_types"):
        return layer_kinds(c)
    return ["full" if full is None or i in full else "convolution" for i in range(number)]


def lfm2_size(c: Fields) -> int:
    """LFM2 rounds two thirds of the stated size up to a multiple."""
    size = c.size("intermediate_size")
    multiple = c.size("block_multiple_of", 256)
    factor = c.value("block_ffn_dim_multiplier")
    if not c.flag("block_auto_adjust_ff_dim", True):
        return size
    size = int(2 * size / 3)
    if isinstance(factor, (int, float)) and not isinstance(factor, bool):
        size = int(factor * size)
    return multiple * -(-size // multiple)


def every_interval_full(c: Fields) -> list[str]:
    """Linear attention, with full attention every `full_attention_interval` layers (Qwen3-Next)."""
    return layer_kinds(c, "R" * (c.size("full_attention_interval", 4) - 1) + "F")


def qwen3_next_delta(c: Fields) -> Block:
    return gated_delta(c, joined_beta=True)


def kimi_linear(c: Fields) -> Decoder:
    """Kimi Linear: Kimi delta attention with latent attention in between; layers are counted from 1 in `linear_attn_config`."""
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
        full_rank = inner.flag("use_full_rank_gate")
        c.ignore("layer_types")
    else:
        kinds = layer_kinds(c, "RRRF")
        heads, head_dim = c.size("linear_num_heads"), c.size("linear_head_dim")
        kernel, full_rank = c.size("linear_conv_kernel_dim"), False
    c.ignore("num_expert_group", "linear_num_heads", "linear_head_dim", "linear_conv_kernel_dim", "mla_use_nope")
    c.ignore("use_grouped_topk", "moe_router_activation_func")
    mixers = {
        "full": latent_attention(c, gate="elements" if c.flag("mla_use_output_gate") else ""),
        "recurrent": kimi_delta(c, heads, head_dim, kernel, low_rank_gate=not full_rank),
    }
    return _latent_and_sparse(c, kinds, mixers, first_dense(c, 1))


def bailing_hybrid(c: Fields) -> Decoder:
    """Ling 3: as Kimi Linear, with full-rank decay and gate, and a gate by head on latent attention."""
    kinds = layer_kinds(c, "R" * (c.size("layer_group_size") - 1) + "F")
    heads, head_dim = c.size("num_heads"), c.size("head_dim")
    if c.has("linear_head_dim"):  # as transformers writes it, where head_dim is the rotary part
        heads, head_dim = c.size("linear_num_heads"), c.size("linear_head_dim")
    kernel = c.size("short_conv_kernel_size", 4)
    c.ignore("linear_num_heads", "linear_head_dim", "linear_conv_kernel_dim", "num_expert_group", "kda_safe_gate")
    mixers = {
        "full": latent_attention(c, gate="heads"),
        "recurrent": kimi_delta(c, heads, head_dim, kernel, low_rank_decay=False, low_rank_gate=False),
    }
    return _latent_and_sparse(c, kinds, mixers, first_dense(c))


def _latent_and_sparse(c: Fields, kinds: list[str], mixers: dict[str, Block], mlps: list[str]) -> Decoder:
    hidden = c.size("hidden_size")
    feed_forwards = {
        "dense": dense(hidden, c.size("intermediate_size")),
        "sparse": _latent_experts(c, hidden),
    }
    around, extra = norms(PRE_NORMS, hidden), ()
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
    spec = replace(read_experts(c, shared="count"), latent_size=c.size("routed_expert_hidden_size", None))
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


def recurrent_gemma(c: Fields) -> Decoder:
    """RecurrentGemma: `block_types` repeats; local attention; half of `intermediate_size` in each gated branch."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    words = c.words("block_types") or ["recurrent", "recurrent", "attention"]
    names = {"recurrent": "recurrent", "linear_attention": "recurrent"}
    kinds = [names.get(words[i % len(words)], "full") for i in range(number)]
    heads, kv_heads, head_dim = geometry(c)
    spec = mixer(c, "sliding", heads, kv_heads, head_dim)
    mixers = {
        "full": attention(hidden, spec, qkv_bias=c.flag("attention_bias"), out_bias=True),
        "recurrent": gated_recurrence(c),
    }
    around = norms(PRE_NORMS, hidden) + dense(hidden, c.size("intermediate_size") // 2, bias=True)
    layers = {kind: around + block for kind, block in mixers.items()}
    return decoder(c, [layers[kind] for kind in kinds])


QWEN_FULL = replace(BIASED, qk_norm="head", gate="joined", windowed=every_interval_full)
FAMILIES: dict[str, Family] = {
    "bailing_hybrid": bailing_hybrid,
    "bamba": replace(BIASED, mlp_bias="mlp_bias", windowed=bamba_kinds, recurrent=mamba2),
    "falcon_h1": falcon_h1,
    "falcon_mamba": pure_mamba,
    "granitemoehybrid": granite_hybrid,
    "jamba": jamba,
    "kimi_linear": kimi_linear,
    "lara_mini": replace(
        BIASED, qk_norm="head", pattern="RSRFS", recurrent=gated_delta, sparse=Sparse(shared="size")
    ),
    "lfm2": Standard(qk_norm="head", windowed=lfm2_kinds, convolution=short_convolution, size=lfm2_size),
    "lfm2_moe": Standard(
        qk_norm="head",
        windowed=lfm2_kinds,
        convolution=short_convolution,
        sparse=Sparse(layers=first_dense, correction="buffer"),
    ),
    "mamba": pure_mamba,
    "mamba2": pure_mamba2,
    "minimax": Standard(windowed=minimax_kinds, recurrent=minimax_lightning, sparse=Sparse(size="intermediate_size")),
    "nemotron_h": nemotron_h,
    "olmo_hybrid": olmo_hybrid,
    "qwen3_5_text": replace(QWEN_FULL, recurrent=gated_delta),
    "qwen3_5_moe_text": replace(QWEN_FULL, recurrent=gated_delta, sparse=Sparse(shared="size", shared_gate=True)),
    "qwen3_next": replace(
        QWEN_FULL,
        recurrent=qwen3_next_delta,
        sparse=Sparse(shared="size", shared_gate=True, layers=every_sparse_step),
    ),
    "recurrent_gemma": recurrent_gemma,
}
FAMILIES["minimax_text_01"] = FAMILIES["minimax_m1"] = FAMILIES["minimax"]
