"""Decoders whose code lies beside their weights, and was never transformers' own.

Sources: vLLM 0.33.0, `models/telechat2.py`, `teleflm.py`, `step1.py`, `solar.py`, `rnj1.py`, `openpangu.py` and
`molmo.py`; of OpenELM llama.cpp's `conversion/openelm.py`, of Moondream 2 vikhyat/moondream (`moondream/torch/`), of
Moondream 3 vLLM's `models/moondream3.py`; of
ChatGLM-6B and of the first files of Phi the modelling code in their repositories.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, divides, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.dense import GEMMA3, LLAMA
from calculator.architecture.families.standard import POST_NORMS, PRE_NORMS, Family, Standard
from calculator.architecture.feed_forward import dense, experts
from calculator.architecture.fields import Fields
from calculator.architecture.per_token import Experts
from calculator.architecture.shown import in_json
from calculator.architecture.tensors import Block, linear, norm, norms, vector

FIRST_PHI = Standard(  # "mixformer-sequential", and "phi-msft" after it
    qkv_bias=True,
    out_bias=True,
    mlp_bias=True,
    fused_qkv=True,
    gated=False,
    norms=("attn_norm",),
    norm_kind="layer",
    head_bias=True,
    widening=4,
)


def telechat(c: Fields) -> Decoder:
    """TeleChat and TeleChat 2: only what leads back to the stream has a bias."""
    hidden = c.size("hidden_size")
    if c.flag("embed_layernorm"):
        raise c.fail("embed_layernorm", "unsupported_value", value=True)
    layer = norms(PRE_NORMS, hidden) + attention(hidden, mixer(c, "full", *geometry(c)), out_bias=True)
    layer += dense(hidden, c.size("intermediate_size")) + Block(vector("ffn_down", hidden, kind="bias"))
    return decoder(c, [layer] * c.size("num_layers"))


def pangu(c: Fields) -> Decoder:
    """openPangu Embedded: `qkv_bias` goes before `bias`, which goes for the output as well. With learned sinks it is
    another model, which is not read here."""
    if c.count("param_sink_number"):
        raise c.fail("param_sink_number", "unsupported_value", value=c.count("param_sink_number"))
    bias = c.flag("attention_bias") or c.flag("bias")
    return Standard(qkv_bias=c.flag("qkv_bias", bias), out_bias=bias, mlp_bias="mlp_bias")(c)


def chatglm1(c: Fields) -> Decoder:
    """ChatGLM-6B, the first: biases throughout, norms with a bias, and no key/value heads to share."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    divides(c, "num_heads", heads, "hidden_size", hidden)
    c.ignore("position_encoding_2d", "pre_seq_len", "prefix_projection", "inner_hidden_size")
    layer = norms(PRE_NORMS, hidden, "layer")
    layer += attention(
        hidden, mixer(c, "full", heads, heads, hidden // heads), qkv_bias=True, out_bias=True, fused_qkv=True
    )
    layer += dense(hidden, c.size("inner_hidden_size"), gated=False, bias=True)
    model = decoder(c, [layer] * c.size("num_layers"), norm_kind="layer")
    if c.has("tied"):
        return model
    shared = tuple(weight for weight in model.shared if weight.role != "output")  # tied unless the file says otherwise
    return replace(model, shared=shared, tied_embeddings=True)


def molmo(c: Fields) -> Decoder:
    """Molmo: half of `intermediate_size` for gate and up each, and 128 words more in the embedding than it says."""
    hidden, number, spec = c.size("hidden_size"), c.size("num_layers"), mixer(c, "full", *geometry(c))
    bias, normed = c.flag("qkv_bias"), c.flag("attention_layer_norm")
    c.ignore("norm_after", "layer_norm_type")
    if c.word("layer_norm_type", "rms") != "rms":
        raise c.fail("layer_norm_type", "unsupported_value", value=c.word("layer_norm_type")[:40])
    layer = norms(POST_NORMS if c.flag("norm_after") else PRE_NORMS, hidden)
    layer += attention(hidden, spec, qkv_bias=bias, fused_qkv=True)
    if normed:
        layer += Block(norm("attn_q_norm", hidden) + norm("attn_k_norm", spec.num_kv_heads * spec.head_dim))
    layer += dense(hidden, c.size("intermediate_size", least=2) // 2, fused=True)
    if c.flag("weight_tying"):
        raise c.fail("weight_tying", "unsupported_value", value=True)
    rows = c.size("embedding_size", None) or c.size("vocab_size")
    return decoder(c, [layer] * number, extra_rows=rows + 128 - c.size("vocab_size"), output_rows=rows)


def openelm(c: Fields) -> Decoder:
    """OpenELM (arXiv:2404.14619): heads and the width of the feed-forward grow from layer to layer."""
    hidden, number, head_dim = c.size("hidden_size"), c.size("num_layers"), c.size("head_dim")
    heads, kv_heads = (c.sizes(name, number, least=1) for name in ("num_query_heads", "num_kv_heads"))
    widths, divisor = c.value("ffn_multipliers"), c.size("ffn_dim_divisor", 256)
    c.ignore("num_gqa_groups", "qkv_multipliers", "normalization_layer_name", "activation_fn_name")
    if not c.flag("ffn_with_glu", True):
        raise c.fail("ffn_with_glu", "unsupported_value", value=False)
    if not isinstance(widths, list) or len(widths) != number or heads is None or kv_heads is None:
        name = "num_query_heads" if heads is None else "num_kv_heads" if kv_heads is None else "ffn_multipliers"
        raise c.fail(name, "not_a_list", value=in_json(c.value(name)))
    normed = "head" if c.flag("normalize_qk_projections", True) else ""

    def layer(q: int, kv: int, width: object) -> Block:
        if isinstance(width, bool) or not isinstance(width, (int, float)) or not 0 < width <= 64:
            raise c.fail("ffn_multipliers", "not_a_number", value=in_json(width))
        size = max(divisor, int(width * hidden + divisor / 2) // divisor * divisor)
        size += divisor if size < 0.9 * width * hidden else 0
        block = norms(PRE_NORMS, hidden) + dense(hidden, size, fused=True)
        return block + attention(hidden, mixer(c, "full", q, kv, head_dim), fused_qkv=True, qk_norm=normed)

    c.config = {"tie_word_embeddings": c.flag("share_input_output_layers", True), **c.config}
    return decoder(c, [layer(*sizes) for sizes in zip(heads, kv_heads, widths, strict=True)])


def lille(c: Fields) -> Decoder:
    """Lille: the feed-forward is 8/3 as wide as the model, to the nearest 256 (mlx-lm 0.32.2, `lille-130m.py`)."""
    longest = {"max_position_embeddings": c.config["block_size"]} if c.has("block_size") else {}
    c.config = {"tie_word_embeddings": True, **longest, **c.config}
    c.ignore("layer_norm_eps", "block_size")
    inner = 256 * max(round(8 * c.size("hidden_size") // 3 / 256), 1)
    return Standard(fused_qkv=True, size=lambda _: inner)(c)


def hf_olmo(c: Fields) -> Decoder:
    """OLMo as it was published first: `mlp_hidden_size` is gate and up together, norms store nothing (allenai/OLMo,
    `olmo/model.py`)."""
    hidden, heads, number = c.size("hidden_size"), c.size("num_heads"), c.size("num_layers")
    divides(c, "num_heads", heads, "hidden_size", hidden)
    both = c.size("mlp_hidden_size", None, least=2) or c.size("mlp_ratio", 4) * hidden
    for key, known in (("include_bias", False), ("alibi", False), ("multi_query_attention", False)):
        if c.flag(key) != known:
            raise c.fail(key, "unsupported_value", value=not known)
    for key, word in (("layer_norm_type", "default"), ("block_type", "sequential"), ("activation_type", "swiglu")):
        if c.word(key, word) != word:
            raise c.fail(key, "unsupported_value", value=c.word(key)[:40])
    c.ignore("mlp_ratio", "attention_layer_norm", "layer_norm_with_affine", "bias_for_layer_norm", "n_kv_heads")
    c.ignore("attention_layer_norm_with_affine", "rope_full_precision", "block_group_size", "embedding_size")
    kv_heads = c.size("num_kv_heads", heads)
    layer = attention(hidden, mixer(c, "full", heads, kv_heads, hidden // heads), fused_qkv=True)
    layer += dense(hidden, both // 2, fused=True)
    c.config = {"tie_word_embeddings": c.flag("weight_tying", True), **c.config}
    rows = c.size("embedding_size", c.size("vocab_size"))
    more = max(rows - c.size("vocab_size"), 0)
    return decoder(c, [layer] * number, final_norm=False, extra_rows=more, output_rows=rows)


def moondream(c: Fields) -> Decoder:
    """Moondream 2: one norm for attention and feed-forward side by side, biases throughout. From `moe.start_layer` on
    Moondream 3 has experts, which have none; what it reads and what it keeps of it goes by two gates for each head."""
    hidden, heads, kv_heads = c.size("hidden_size"), c.size("num_heads"), c.size("n_kv_heads")
    divides(c, "num_heads", heads, "hidden_size", hidden)
    divides(c, "n_kv_heads", kv_heads, "num_attention_heads", heads)
    c.ignore("prefix_attn", "group_size", "max_context")
    layer = norms(("attn_norm",), hidden, "layer")
    spec = mixer(c, "full", heads, kv_heads, hidden // heads)
    layer += attention(hidden, spec, qkv_bias=True, out_bias=True, fused_qkv=True)
    number = c.size("num_layers")
    layers = [layer + dense(hidden, c.size("ff_dim"), gated=False, bias=True)] * number
    if c.model_type == "moondream3_text":
        width = hidden + 2 * kv_heads * (hidden // heads)
        gates = linear("attn_tau_q", heads, width) + linear("attn_tau_v", heads, width) + vector("attn_tau", heads)
        moe = c.part("moe", "moondream3_moe")
        if moe is None:
            moe = Fields({}, "moondream3_moe", path="config.text.moe.", nested=True, faults=c.faults, root=c)
        first = min(moe.count("start_layer"), number)
        routed = layer + experts(hidden, _moondream3(moe), router_bias=True)
        layers = [block + Block(gates) for block in layers[:first] + [routed] * (number - first)]
    model = decoder(c, layers, norm_kind="layer", head_bias=True)
    return replace(model, context_tokens=c.size("max_context"))


def _moondream3(moe: Fields) -> Experts:
    number, active = moe.size("num_experts"), moe.size("experts_per_token")
    if active > number:
        raise moe.fail("experts_per_token", "out_of_range", value=active, least=1, most=number)
    return Experts(num_experts=number, num_active_experts=active, expert_size=moe.size("expert_inner_dim"))


FAMILIES: dict[str, Family] = {
    "hf_olmo": hf_olmo,
    "lille-130m": lille,
    "mixformer-sequential": FIRST_PHI,
    "molmo": molmo,
    "moondream1_text": moondream,
    "moondream3_text": moondream,
    "openelm": openelm,
    "PanguEmbedded": pangu,
    "phi-msft": FIRST_PHI,
    "rnj1": GEMMA3,
    "solar": replace(LLAMA, ignored=("bskcn_1", "bskcn_2", "bskcn_3", "bskcn_4", "bskcn_tv")),
    "step1": LLAMA,
    "telechat": telechat,
    "telechat2": telechat,
    "TeleFLM": LLAMA,
    "teleflm": LLAMA,
}
