"""More decoders of published files that bring code of their own.

Sources: the code in the repositories of MiniCPM-SALA, Xing 4.0, PLaMo 3, Phi-3 small, Step 3, Talkie and Pico, as those
who serve them restate it (vLLM 0.33.0 and a plug-in of it, converters to GGUF, mlx-lm), and flash-linear-attention's.
The counts are those of the published checkpoints.
"""

from __future__ import annotations

import re
from dataclasses import replace

from calculator.architecture.attention import attention, divides, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.deepseek import Latent
from calculator.architecture.families.dense import BIASED, GEMMA3, LLAMA
from calculator.architecture.families.hyper_connections import around_layer
from calculator.architecture.families.standard import PRE_NORMS, Family, Standard, every_nth_full
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.prediction import around
from calculator.architecture.shape import LinearAttention
from calculator.architecture.shown import short
from calculator.architecture.tensors import Block, linear, norm, norms, vector

LIGHTNING = frozenset({"lightning", "lightning_attn", "lightning-attn"})


def minicpm_sala(c: Fields) -> Decoder:
    """MiniCPM-SALA: lightning attention in most layers, attention over blocks that it chooses (InfLLM-V2, which adds no
    weights) in the rest."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    words = c.words("mixer_types", number)
    if words is None:
        raise c.fail("mixer_types", "missing")
    gate = "elements" if c.flag("attn_use_output_gate", True) else ""
    c.ignore("sparse_config", "mup_denominator", "lightning_use_rope", "attn_use_rope", "lightning_scale")
    mixers = {"minicpm4": replace(BIASED, gate=gate).mixer(c, "full")} if "minicpm4" in words else {}
    if LIGHTNING & set(words):
        mixers |= dict.fromkeys(LIGHTNING, _lightning(c))
    unknown = next((word for word in words if word not in mixers), None)
    if unknown is not None:
        raise c.fail("mixer_types", "unknown_layer_kind", kind=unknown[:40], model_type=c.model_type)
    rest = norms(PRE_NORMS, hidden) + dense(hidden, c.size("intermediate_size"))
    layers = {word: rest + mixers[word] for word in dict.fromkeys(words)}
    return decoder(c, [layers[word] for word in words])


def _lightning(c: Fields) -> Block:
    hidden, heads = c.size("hidden_size"), c.size("lightning_nh", c.size("num_heads"))
    keys = c.size("lightning_nkv", c.size("num_kv_heads", heads))
    head_dim = c.size("lightning_head_dim", None) or c.size("head_dim", None) or hidden // c.size("num_heads")
    bias, width = c.flag("attention_bias"), heads * head_dim
    weights = linear("attn_q", width, hidden, bias) + linear("attn_k", keys * head_dim, hidden, bias)
    weights += linear("attn_v", keys * head_dim, hidden, bias) + linear("attn_output", hidden, width, bias)
    weights += linear("attn_gate", width, hidden, bias) if c.flag("use_output_gate", True) else ()
    weights += norm("attn_output_norm", width) if c.flag("use_output_norm", True) else ()
    if c.flag("qk_norm", True):
        weights += norm("attn_q_norm", head_dim) + norm("attn_k_norm", head_dim)
    spec = LinearAttention(
        kind="lightning",
        num_key_heads=keys,
        num_value_heads=heads,
        key_head_dim=head_dim,
        value_head_dim=head_dim,
        conv_kernel=0,
        conv_channels=0,
    )
    return Block(weights, (spec,))


def xing4(c: Fields) -> Decoder:
    """Xing 4.0: DeepSeek-V3's layers between several residual streams, which are averaged in the end. What predicts has
    one stream, and embedding and output of its own."""
    hidden, vocabulary, streams = c.size("hidden_size"), c.size("vocab_size"), around_layer(c, 3)
    c.ignore("hc_sinkhorn_iters", "mhc_h_res_clamp_min", "mhc_h_res_clamp_max")
    extra = c.count("num_mtp_layers")
    model = Latent(correction="bias")(c)
    layers = {id(block): block + streams for block in model.layers}
    own = linear("nextn.embed_tokens", vocabulary, hidden) + linear("nextn.shared_head_head", vocabulary, hidden)
    guessing = model.layers[-1] + Block(around(hidden) + own)
    return replace(model, layers=[layers[id(block)] for block in model.layers], mtp=[guessing] * extra)


TALKIE = Standard(norms=(), norm_kind="none")


def talkie(c: Fields) -> Decoder:
    """Talkie: norms without weights; a learned factor for each head, three for each layer, one before the output."""
    model = TALKIE(c)
    gains = Block(vector("attn_head_gain", c.size("num_heads")) + vector("layer_gains", 3))
    layers = {id(block): block + gains for block in model.layers}
    return replace(model, layers=[layers[id(block)] for block in model.layers], shared=model.shared + vector("gain", 1))


LAYER_NUMBER = re.compile(r"[0-9]{1,6}")


def step3(c: Fields) -> Decoder:
    """Step 3: queries through a space that all heads share, one group of keys and values (arXiv:2507.19427)."""
    hidden, heads, head_dim, number = (
        c.size("hidden_size"),
        c.size("num_heads"),
        c.size("head_dim"),
        c.size("num_layers"),
    )
    groups, shared, listed = c.size("num_attention_groups"), c.size("share_q_dim"), c.value("moe_layers_enum")
    c.ignore("norm_expert_weight", "num_kv_heads")
    words = listed.split(",") if isinstance(listed, str) else listed
    if not isinstance(words, list) or not all(LAYER_NUMBER.fullmatch(str(word).strip()) for word in words):
        raise c.fail("moe_layers_enum", "not_a_list", value=short(listed))
    routed = {int(str(word)) for word in words}
    if routed and max(routed) >= number and not c.faults:
        raise c.fail("moe_layers_enum", "out_of_range", value=max(routed), least=0, most=number - 1)
    weights = linear("attn_q_a", shared, hidden) + norm("attn_q_a_norm", shared)
    weights += linear("attn_q_b", heads * head_dim, shared) + linear("attn_k", groups * head_dim, hidden)
    weights += linear("attn_v", groups * head_dim, hidden) + linear("attn_output", hidden, heads * head_dim)
    around = norms(PRE_NORMS, hidden) + Block(weights, (mixer(c, "full", heads, groups, head_dim),))
    spec = replace(read_experts(c), num_shared_experts=1, shared_size=c.size("share_expert_dim"))
    kinds = (around + dense(hidden, c.size("intermediate_size")), around + experts(hidden, spec))
    return decoder(c, [kinds[index in routed] for index in range(number)])


PHI3_SMALL = Standard(  # some layers attend to blocks by a fixed pattern, but keep all
    qkv_bias=True,
    out_bias=True,
    mlp_bias=True,
    fused_qkv=True,
    fused_gate_up=True,
    norm_kind="layer",
    ignored=(
        *("dense_attention_every_n_layers", "ff_dim_multiplier", "blocksparse_block_size", "blocksparse_vert_stride"),
        *("blocksparse_num_local_blocks", "blocksparse_homo_head_pattern", "blocksparse_triton_kernel_block_size"),
    ),
)


def phi3_small(c: Fields) -> Decoder:
    """Files leave out that the output is the embedding: vLLM 0.8 copies it (`models/phi3_small.py`, `load_weights`)."""
    c.config = {"tie_word_embeddings": True, **c.config}
    return PHI3_SMALL(c)


def chameleon(c: Fields) -> Decoder:
    """Chameleon (arXiv:2405.09818): a norm with a bias for each head of queries and of keys (transformers 5.24.0,
    `models/chameleon`); `swin_norm` puts the norms of a layer behind its parts."""
    model, head_dim = LLAMA(c), c.size("hidden_size") // c.size("num_heads")
    c.ignore("swin_norm", "model_parallel_size", "vocabulary_map")
    norms_of = norm("attn_q_norm", (c.size("num_heads"), head_dim), "layer")
    norms_of += norm("attn_k_norm", (c.size("num_kv_heads", c.size("num_heads")), head_dim), "layer")
    layers = {id(block): block + Block(norms_of) for block in model.layers}
    return replace(model, layers=[layers[id(block)] for block in model.layers])


def fla_transformer(c: Fields) -> Decoder:
    """flash-linear-attention's own decoder (`fla/models/transformer`): Llama's layers, a width that follows from the
    model's, and a norm of queries and keys if told."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    divides(c, "num_heads", heads, "hidden_size", hidden)
    inner = c.size("intermediate_size", None)
    if "hidden_ratio" not in c.config:  # others that call theirs "transformer" are not its
        raise c.fail("hidden_ratio", "missing")
    if inner is None:
        inner = -(-int(hidden * c.number("hidden_ratio", 4) * 2 / 3) // 256) * 256
    c.ignore("hidden_ratio", "fuse_norm", "fuse_swiglu", "fuse_cross_entropy", "elementwise_affine", "attention_bias")
    kind = "sliding" if c.size("sliding_window", None) else "full"
    spec = mixer(c, kind, heads, c.size("num_kv_heads", heads), hidden // heads)
    normed = "head" if c.flag("qk_norm") else ""
    layer = norms(PRE_NORMS, hidden) + dense(hidden, inner)
    layer += attention(hidden, spec, qkv_bias=c.flag("qkv_bias"), qk_norm=normed)
    return decoder(c, [layer] * c.size("num_layers"))


PLAMO3 = replace(GEMMA3, windowed=every_nth_full(8), fused_qkv=True, fused_gate_up=True)

FAMILIES: dict[str, Family] = {
    "chameleon_text": chameleon,
    "emu3_text_model": LLAMA,
    "minicpm_sala": minicpm_sala,
    "pico_decoder": Standard(),
    "phi3small": phi3_small,
    "plamo3": PLAMO3,
    "step3_text": step3,
    "talkie": talkie,
    "transformer": fla_transformer,
    "xing4_0": xing4,
}
