"""Decoders that are mostly recurrent: RecurrentGemma, RWKV 4 and 7, Zamba and Zamba2."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.linear_attention import gated_recurrence
from calculator.architecture.shape import Dense, FullAttention, Recurrence
from calculator.architecture.shown import short
from calculator.architecture.state_space import mamba1, mamba2
from calculator.architecture.tensors import Block, linear, norm, norms, vector


def recurrent_gemma(c: Fields) -> Decoder:
    """RecurrentGemma: `block_types` repeats; local attention; half of `intermediate_size` in each gated branch."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    words = c.words("block_types") or ["recurrent", "recurrent", "attention"]
    names = {"recurrent": "recurrent", "linear_attention": "recurrent"}
    kinds = [names.get(words[i % len(words)], "full") for i in range(number)]
    c.ignore("_block_types", "embeddings_scale_by_sqrt_dim")
    heads, kv_heads, head_dim = geometry(c)
    spec = mixer(c, "sliding", heads, kv_heads, head_dim)
    mixers = {
        "full": attention(hidden, spec, qkv_bias=c.flag("attention_bias"), out_bias=True),
        "recurrent": gated_recurrence(c),
    }
    around = norms(PRE_NORMS, hidden) + dense(hidden, c.size("intermediate_size", least=2) // 2, bias=True)
    layers = {kind: around + block for kind, block in mixers.items()}
    return decoder(c, [layers[kind] for kind in kinds])


def rwkv(c: Fields) -> Decoder:
    """RWKV-4 (arXiv:2305.13048): five numbers of state per channel."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    width = c.size("attention_hidden_size", hidden)
    inner = c.size("intermediate_size", 4 * hidden)
    c.ignore("rescale_every")
    spec = Recurrence(kind="rwkv4", state_elements=5 * hidden)
    weights = vector("time_mix_decay", width) + vector("time_mix_first", width)
    for name in ("k", "v", "r"):
        weights += vector(f"time_mix_lerp_{name}", 1, 1, hidden)
    for name in ("key", "value", "receptance"):
        weights += linear(f"time_mix_{name}", width, hidden)
    weights += linear("time_mix_output", hidden, width)
    weights += vector("channel_mix_lerp_k", 1, 1, hidden) + vector("channel_mix_lerp_r", 1, 1, hidden)
    weights += linear("channel_mix_key", inner, hidden) + linear("channel_mix_receptance", hidden, hidden)
    weights += linear("channel_mix_value", hidden, inner)
    layer = norms(PRE_NORMS, hidden, "layer") + Block(weights, (spec,), Dense(intermediate_size=inner))
    return decoder(c, [layer] * number, norm_kind="layer", embedding_norm="layer")


def rwkv7(c: Fields) -> Decoder:
    """RWKV-7 (arXiv:2503.14456) as flash-linear-attention stores it (`fla/models/rwkv7`, `fla/layers/rwkv7.py`): a
    matrix of state for each head, and the token before, twice. The ranks follow from the width where the file leaves
    them out."""
    hidden, number, head_dim = c.size("hidden_size"), c.size("num_layers"), c.size("head_dim", 64)
    inner = c.size("intermediate_size", None) or -(-int(c.number("hidden_ratio", 4) * hidden) // 32) * 32
    ranks = {
        name: c.size(f"{name}_low_rank_dim", None) or max(32, round(factor * hidden**power / 32) * 32)
        for name, factor, power in (("decay", 1.8, 0.5), ("a", 1.8, 0.5), ("v", 1.3, 0.5), ("gate", 0.6, 0.8))
    }
    c.ignore("num_heads", "norm_first", "fuse_norm", "fuse_cross_entropy", "num_kv_heads")
    for name in ("attn", "value_dim"):
        value = c.value(name)
        if value not in (None, [], hidden, [hidden] * number):
            raise c.fail(name, "unsupported_value", value=short(value))
    kind = "layer" if c.flag("norm_bias", True) else "layer_weight"
    spec = Recurrence(kind="rwkv7", state_elements=hidden * head_dim, conv_kernel=2, conv_channels=2 * hidden)
    weights = vector("time_mix_lerp", 6, hidden) + vector("time_mix_vectors", 3, hidden)
    for name in ("key", "value", "receptance", "output"):
        weights += linear(f"time_mix_{name}", hidden, hidden)
    for name in ("decay", "a", "gate"):
        weights += linear(f"time_mix_{name}_a", ranks[name], hidden)
        weights += linear(f"time_mix_{name}_b", hidden, ranks[name], name != "gate")
    weights += norm("time_mix_ln", hidden, kind) + vector("channel_mix_lerp_k", hidden)
    weights += linear("channel_mix_key", inner, hidden) + linear("channel_mix_value", hidden, inner)
    layer = norms(PRE_NORMS, hidden, kind) + Block(weights, (spec,), Dense(intermediate_size=inner))
    # The first layer mixes no values, for there are none before.
    mixed = linear("time_mix_v_a", ranks["v"], hidden) + linear("time_mix_v_b", hidden, ranks["v"], True)
    first = layer + norms(("token_embd_norm",), hidden, kind)
    return decoder(c, [first, *[layer + Block(mixed)] * (number - 1)], norm_kind=kind)


def zamba(c: Fields) -> Decoder:
    """Zamba (arXiv:2405.16712): Mamba, and one attention block over what a layer has and the embedding, shared by all
    hybrid layers (transformers 5.24.0, `models/zamba`)."""
    hidden, heads, number = c.size("hidden_size"), c.size("num_heads"), c.size("num_layers")
    period, offset = c.size("attn_layer_period"), c.count("attn_layer_offset")
    order = "RRH" + "".join("H" if index % period == offset else "R" for index in range(max(number - 3, 0)))
    kinds = layer_kinds(c, order[:number])
    wide = c.size("attention_hidden_size", 2 * hidden)
    head_dim = c.size("attention_head_dim", None) or wide // heads
    kv_heads = c.size("num_kv_heads", heads)
    c.ignore("n_mamba_heads", "attn_layer_period", "attn_layer_offset", "head_dim", "layers_block_type")
    spec = FullAttention(num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, value_head_dim=head_dim)
    stored = linear("attn_q", heads * head_dim, wide) + linear("attn_k", kv_heads * head_dim, wide)
    stored += linear("attn_v", kv_heads * head_dim, wide) + linear("attn_output", hidden, heads * head_dim)
    stored += norm("attn_shared_norm", wide) + norm("ffn_norm", hidden)
    shared = Block(stored) + dense(hidden, c.size("intermediate_size"))
    recurrent = norms(("attn_norm",), hidden) + mamba1(c)
    hybrid = recurrent + Block(linear("proj", hidden, hidden), (spec,), shared.feed_forward)
    unknown = next((kind for kind in kinds if kind not in ("recurrent", "hybrid")), None)
    if unknown is not None:
        raise c.fail("layer_types", "unknown_layer_kind", kind=unknown, model_type=c.model_type)
    first = kinds.index("hybrid") if "hybrid" in kinds else -1
    kept = replace(hybrid, weights=hybrid.weights + shared.weights)
    layers = {"recurrent": recurrent, "hybrid": hybrid}
    return decoder(c, [kept if index == first else layers[kind] for index, kind in enumerate(kinds)])


def zamba2(c: Fields) -> Decoder:
    """Zamba2 (arXiv:2411.15242): Mamba-2, with `num_mem_blocks` attention blocks shared by the hybrid layers in turn.

    A shared block is stored with the first layer that uses it; every hybrid layer has low-rank adapters of its own.
    """
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    kinds = layer_kinds(c, ("R" + "RRRRRH" * 200)[: c.size("num_layers")])
    inner, rank, shared = c.size("intermediate_size", 4 * hidden), c.size("adapter_rank"), c.size("num_mem_blocks")
    c.ignore("attention_hidden_size", "attention_head_dim", "head_dim", "hybrid_layer_ids", "num_query_groups")
    c.ignore("use_mem_rope", "use_long_context", "use_mem_eff_path", "ssm_head_dim", "ffn_hidden_size")
    c.ignore("use_shared_mlp_adapter")
    wide = 2 * hidden
    kv_heads, head_dim = c.size("num_kv_heads", heads), wide // heads
    spec = FullAttention(num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, value_head_dim=head_dim)
    attended = attention(wide, spec)
    stored = tuple(w._replace(shape=(hidden, wide)) if w.role == "attn_output" else w for w in attended.weights)
    stored += norm("attn_shared_norm", wide) + norm("ffn_norm", hidden) + dense(hidden, inner, fused=True).weights
    adapters = linear("ffn_up_adapter_a", rank, hidden) + linear("ffn_up_adapter_b", 2 * inner, rank)
    if c.flag("use_shared_attention_adapter"):
        for name in "qkv":
            adapters += linear(f"attn_{name}_adapter_a", rank, wide) + linear(f"attn_{name}_adapter_b", wide, rank)
    recurrent = norms(("attn_norm",), hidden) + mamba2(c)
    hybrid = recurrent + Block(linear("proj", hidden, hidden) + adapters, (spec,), Dense(intermediate_size=inner))
    layers, seen = [], 0
    for kind in kinds:
        if kind not in ("recurrent", "hybrid"):
            raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
        block = recurrent if kind == "recurrent" else hybrid
        if kind == "hybrid":
            block = replace(block, weights=block.weights + stored) if seen < shared else block
            seen += 1
        layers.append(block)
    return decoder(c, layers)


FAMILIES: dict[str, Family] = {
    "recurrent_gemma": recurrent_gemma,
    "rwkv": rwkv,
    "rwkv7": rwkv7,
    "zamba": zamba,
    "zamba2": zamba2,
}
