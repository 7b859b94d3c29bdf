"""Attention mixed with state space layers, and state space layers alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder, kind_of, layer_kinds
from calculator.architecture.families.dense import BIASED
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.prediction import before
from calculator.architecture.shape import Experts
from calculator.architecture.shown import in_json
from calculator.architecture.state_space import mamba1, mamba2
from calculator.architecture.tensors import Block, linear, norm, norms


def pure_mamba(c: Fields) -> Decoder:
    c.ignore("num_heads", "head_dim", "d_inner", "rms_norm")
    layer = norms(("attn_norm",), c.size("hidden_size")) + mamba1(c, inner_key="intermediate_size")
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
        "recurrent": mamba1(c, inner_norms=c.flag("mamba_inner_layernorms", True)),
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
    c.ignore("mamba_norm_before_gate", "mamba_use_mlp")
    layer = norms(PRE_NORMS, hidden)
    layer += attention(hidden, mixer(c, "full", *geometry(c)), qkv_bias=bias, out_bias=bias)
    layer += mamba2(c, inner=inner, gate_norm=c.flag("mamba_rms_norm"), out_bias=projector)
    layer += dense(hidden, c.size("intermediate_size"), bias=c.flag("mlp_bias"))
    return decoder(c, [layer] * c.size("num_layers"))


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


def nemotron_h(c: Fields) -> Decoder:
    """Nemotron-H: every block is one thing: Mamba-2 (M), attention (*), a feed-forward (-) or experts (E)."""
    hidden, kinds = c.size("hidden_size"), _nemotron_kinds(c)
    _ignore_by_block(c)
    guessing = _guessing_kinds(c)
    blocks = {kind: _nemotron_block(c, kind) for kind in dict.fromkeys((*kinds, *guessing))}
    return decoder(c, [blocks[kind] for kind in kinds], mtp=_guessing(hidden, [blocks[kind] for kind in guessing]))


def _ignore_by_block(c: Fields) -> None:
    c.ignore("num_layers", "ssm_expand", "use_bias", "mamba_proj_bias", "ssm_conv_bias", "hybrid_override_pattern")
    c.ignore("moe_shared_expert_overlap", "moe_latent_size", "ssm_dt_rank", "attention_bias", "mlp_bias")
    c.ignore("num_experts", "num_active_experts", "expert_size", "shared_expert_size", "num_shared_experts")
    c.ignore("num_heads", "num_kv_heads", "head_dim", "intermediate_size", *MAMBA_KEYS)


def _nemotron_block(c: Fields, kind: str) -> Block:
    hidden, bias, mlp_bias = c.size("hidden_size"), c.flag("attention_bias"), c.flag("mlp_bias")
    before = norms(("attn_norm",), hidden)
    if kind == "recurrent":
        heads, head_dim = c.size("ssm_heads", 1), c.size("ssm_head_dim", 1)
        return before + mamba2(c, inner=heads * head_dim, heads=heads, head_dim=head_dim)
    if kind == "full":
        return before + attention(hidden, mixer(c, "full", *geometry(c)), qkv_bias=bias, out_bias=bias)
    if kind == "dense":
        return before + dense(hidden, c.size("intermediate_size"), gated=False, bias=mlp_bias)
    if kind == "sparse":
        spec = replace(read_experts(c, shared="size"), latent_size=c.size("moe_latent_size", None))
        return before + experts(hidden, spec, gated=False, correction="buffer", shared_bias=mlp_bias)
    raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)


def nemotron_h_puzzle(c: Fields) -> Decoder:
    """Nemotron-H after a search: each block says its kind and what it has otherwise than the file (SGLang 0.5.23,
    `configs/nemotron_h.py`, `NemotronHPuzzleConfig`)."""
    _ignore_by_block(c)
    c.ignore("mtp_hybrid_override_pattern", "num_mtp_layers", "layer_types")
    layers = _listed_blocks(c, "block_configs")
    c.config = {**c.config, "num_hidden_layers": len(layers)}
    guesses = _listed_blocks(c, "mtp_block_configs") if c.has("mtp_block_configs") else []
    return decoder(c, layers, mtp=_guessing(c.size("hidden_size"), guesses))


def _listed_blocks(c: Fields, name: str) -> list[Block]:
    listed = c.value(name)
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise c.fail(name, "not_a_list", value=in_json(listed))
    if not 0 < len(listed) <= MOST_LAYERS:
        raise c.fail(name, "out_of_range", value=len(listed), least=1, most=MOST_LAYERS)
    found: dict[str, Block] = {}
    blocks = []
    for one in listed:
        text = repr(sorted(one.items(), key=str))
        if text not in found:
            own = c.overridden(one)
            found[text] = _nemotron_block(own, kind_of(own, own.word("block_type"), "block_type"))
        blocks.append(found[text])
    return blocks


def _guessing_kinds(c: Fields) -> list[str]:
    """What the one layer that predicts is made of; nothing where the config does not say."""
    pattern, listed = c.word("mtp_hybrid_override_pattern"), c.words("mtp_layers_block_type")
    if c.count("num_mtp_layers") != 1:
        return []
    if pattern:
        return _of_letters(c, "mtp_hybrid_override_pattern", pattern)
    return [kind_of(c, word, "mtp_layers_block_type") for word in listed or ()]


def _guessing(hidden: int, blocks: list[Block]) -> tuple[Block, ...]:
    """The first begins with the projection, the last ends with a norm (`nemotron_h_mtp.py`)."""
    if not blocks:
        return ()
    first = Block(linear("nextn.eh_proj", hidden, 2 * hidden) + before(hidden))
    blocks = [first + blocks[0], *blocks[1:]]
    return (*blocks[:-1], blocks[-1] + Block(norm("nextn.shared_head_norm", hidden)))


def _of_letters(c: Fields, name: str, pattern: str) -> list[str]:
    words = {"M": "recurrent", "*": "full", "-": "dense", "E": "sparse"}
    unknown = next((letter for letter in pattern if letter not in words), None)
    if unknown:
        raise c.fail(name, "unknown_layer_kind", kind=unknown, model_type=c.model_type)
    return [words[letter] for letter in pattern]


def _nemotron_kinds(c: Fields) -> list[str]:
    pattern = c.word("hybrid_override_pattern")
    if pattern and not c.has("layer_types"):
        return _of_letters(c, "hybrid_override_pattern", pattern)
    listed = c.words("layer_types")
    if listed is None:
        raise c.fail("layers_block_type", "missing")
    return [kind_of(c, word) for word in listed]


FAMILIES: dict[str, Family] = {
    "bamba": replace(BIASED, mlp_bias="mlp_bias", windowed=bamba_kinds, recurrent=mamba2),
    "falcon_h1": falcon_h1,
    "falcon_mamba": pure_mamba,
    "granitemoehybrid": granite_hybrid,
    "jamba": jamba,
    "mamba": pure_mamba,
    "mamba2": pure_mamba2,
    "nemotron_h": nemotron_h,
    "nemotron_h_puzzle": nemotron_h_puzzle,
}
