"""Decoders that attend to an encoder of texts: BART (arXiv:1910.13461) and those after it, T5 (arXiv:1910.10683), mT5
and T5Gemma (arXiv:2504.06225).

Source: transformers 5.24.0, `models/bart`, `mbart`, `m2m_100`, `pegasus`, `blenderbot`, `t5`, `mt5`, `t5gemma`. What is
read is in the encoder once and what is written in the decoder, whose layers keep the keys and values of both: as many
tokens as the context has together. Each half is as long as the file says at most, so that both have twice that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from calculator.architecture.attention import attention, divides, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.dense import GEMMA2, GEMMA3
from calculator.architecture.families.standard import Family
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Block, Weight, norm, norms, vector
from calculator.architecture.towers.clip import gemma3 as vision_of_gemma3
from calculator.architecture.towers.tower import patches

MOST_TABLES = 8
READERS_OF_TEXT = frozenset(
    {
        "bart",
        "blenderbot",
        "florence2_language",
        "m2m_100",
        "mbart",
        "mt5",
        "pegasus",
        "t5",
        "t5gemma",
        "t5gemma2",
        "udop",
    }
)
UNREAD = (
    *("add_bias_logits", "classif_dropout", "decoder_layerdrop", "encoder_layerdrop", "extra_pos_embeddings"),
    *("is_encoder_decoder", "normalize_embedding", "num_hidden_layers", "scale_embedding", "num_beams"),
    *("num_heads", "layernorm_variant", "static_position_embeddings", "encoder_no_repeat_ngram_size"),
)


@dataclass(frozen=True, kw_only=True)
class Halves:
    """BART's layers: attention with biases, three norms in the decoder's and two in the encoder's."""

    pre_norm: bool = False  # the norms stand before the parts, and one behind each half; else behind each part
    embedding_norm: bool = True
    positions: int | None = 2  # rows of learned positions beyond the longest text; None: computed, and not stored
    widest: bool = False  # computed positions, kept as a weight of the embedding (Pegasus)

    def __call__(self, c: Fields) -> Decoder:
        if self.positions == 2 and c.flag("static_position_embeddings"):
            raise c.fail("static_position_embeddings", "unsupported_value", value="true")
        for key in ("normalize_before", "add_final_layer_norm"):
            if c.has(key) and c.flag(key) != self.pre_norm:
                raise c.fail(key, "unsupported_value", value=str(c.flag(key)).lower())
        c.ignore("normalize_before", "add_final_layer_norm")
        layers = c.size("decoder_layers")
        c.config = {"tie_word_embeddings": True, **c.config, "num_hidden_layers": layers}
        c.ignore(*UNREAD, "encoder_attention_heads")
        hidden, inner = c.size("hidden_size"), c.size("encoder_ffn_dim")
        read = self_attention(c) + norms(("attn_norm", "ffn_norm"), hidden, "layer")
        read += dense(hidden, inner, gated=False, bias=True)
        extra = self.outside(c) * 2 + _renamed(read.weights, "enc_") * c.size("encoder_layers")
        extra += vector("output", c.size("vocab_size"), kind="buffer")
        model = decoder(c, [self.layer(c)] * layers, final_norm=False, extra=extra)
        return both_full(model, c.size("context", None))

    def layer(self, c: Fields) -> Block:
        hidden, own = c.size("hidden_size"), self_attention(c)
        layer = own + norms(("attn_norm", "cross_attn_norm", "ffn_norm"), hidden, "layer")
        layer += dense(hidden, c.size("decoder_ffn_dim"), gated=False, bias=True)
        return layer + Block(_renamed(own.weights, "cross_"))

    def outside(self, c: Fields) -> tuple[Weight, ...]:
        """Beside the embedding of words, of one half."""
        hidden, rows = c.size("hidden_size"), c.size("context") + (self.positions or 0)
        weights = vector("position_embd", rows, hidden) if self.positions is not None or self.widest else ()
        weights += norm("token_embd_norm", hidden, "layer") if self.embedding_norm else ()
        return weights + (norm("output_norm", hidden, "layer") if self.pre_norm else ())


def self_attention(c: Fields) -> Block:
    hidden, heads = c.size("hidden_size"), c.size("decoder_attention_heads")
    divides(c, "decoder_attention_heads", heads, "hidden_size", hidden)
    return attention(hidden, mixer(c, "full", heads, heads, hidden // heads), qkv_bias=True, out_bias=True)


BART = Halves()
MBART = Halves(pre_norm=True)


def both_full(model: Decoder, longest: int | None) -> Decoder:
    return replace(model, context_tokens=longest and 2 * longest)


def t5(c: Fields) -> Decoder:
    """Norms without biases, positions by a table of distances in the first layer of either half; heads of any width."""
    c.config = {"tie_word_embeddings": True, **c.config}
    word = c.word("feed_forward_proj", "gated-gelu" if c.model_type == "mt5" else "relu")
    c.ignore("is_encoder_decoder", "is_gated_act", "dense_act_fn", "relative_attention_max_distance", "output_past")
    c.ignore("num_hidden_layers", "head_dim", "gradient_checkpointing")
    hidden, heads, inner = c.size("hidden_size"), c.size("num_heads"), c.size("intermediate_size")
    encoders = c.size("num_layers")
    decoders = c.size("num_decoder_layers", encoders)
    spec = mixer(c, "full", heads, heads, c.size("d_kv", 64))
    own = attention(hidden, spec)
    feed_forward = dense(hidden, inner, gated=word.startswith("gated"))
    layer = own + norms(("attn_norm", "cross_attn_norm", "ffn_norm"), hidden) + feed_forward
    layer += Block(_renamed(own.weights, "cross_"))
    read = own + norms(("attn_norm", "ffn_norm"), hidden) + feed_forward
    buckets = c.size("relative_attention_num_buckets", 32)
    extra = vector("attn_rel_b", buckets, heads) * 2 + norm("enc_output_norm", hidden)
    extra += _renamed(read.weights, "enc_") * encoders
    return both_full(decoder(c, [layer] * decoders, extra=extra), c.size("context", None))


def udop(c: Fields) -> Decoder:
    """UDOP (arXiv:2212.02623): T5, and beside a text patches of its page; words have places on it, and each half three
    tables of distances. The decoder's copy of the map of patches is read by nothing."""
    c.ignore("max_2d_position_embeddings", "image_size", "relative_bias_args", "add_cross_attention", "num_channels")
    kinds = c.value("relative_bias_args")
    number = len(kinds) if isinstance(kinds, (list, tuple)) else 3
    if not 1 <= number <= MOST_TABLES:
        raise c.fail("relative_bias_args", "out_of_range", value=number, least=1, most=MOST_TABLES)
    model, hidden, patch = t5(c), c.size("hidden_size"), c.size("patch_size", 16)
    seen = patches(hidden, c.size("num_channels", 3), patch, patch, bias=True)
    places = vector("position_embd", c.size("max_2d_position_embeddings", 1024), hidden) * 2
    tables = vector("attn_rel_b", c.size("relative_attention_num_buckets", 32), c.size("num_heads")) * 2 * (number - 1)
    return replace(model, shared=model.shared + seen * 2 + places + tables)


def t5gemma2(c: Fields) -> Decoder:
    """Gemma 3's layers in both halves, an embedding for both, and an encoder of images (transformers 5.24.0,
    `models/t5gemma2`). The decoder attends with the same weights to what it wrote and to what was read, of which it
    keeps keys and values apart."""
    reads, writes = c.part("encoder", "t5gemma2_encoder"), c.part("decoder", "t5gemma2_decoder")
    if reads is None or writes is None:
        raise c.fail("encoder" if reads is None else "decoder", "missing")
    text = reads.part("text_config", "t5gemma2_text")
    if text is None:
        raise reads.fail("text_config", "missing")
    reads.ignore("vocab_size", "tied", "boi_token_index", "image_token_index", "mm_tokens_per_image")
    c.ignore("vocab_size", "is_encoder_decoder", "image_token_index", "eoi_token_index", "tied")
    for half in (text, writes):
        half.ignore("tied", "is_decoder", "cross_attention_hidden_size", "layer_types", "sliding_window")
        half.ignore("sliding_window_pattern", "use_bidirectional_attention")
        kept = {key: value for key, value in half.config.items() if key != "layer_types"}
        half.config = {**kept, "tie_word_embeddings": True}
        half.outer = c
    seen, written = WHOLE_GEMMA3(text), WHOLE_GEMMA3(writes)
    towers = vision_of_gemma3(reads, text.size("hidden_size"))
    extra = tuple(weight for block in seen.layers for weight in _renamed(block.weights, "enc_"))
    extra += tuple(weight for weight in _renamed(seen.shared, "enc_") if weight.role != "enc_token_embd")
    extra += vector("mm.eoi_embd", text.size("hidden_size"))
    for tower in towers:
        extra += tower.outside + tuple(weight for layer in tower.layers for weight in layer)
    both = (written.context_tokens, seen.context_tokens)
    return replace(
        written,
        shared=written.shared + extra,
        context_tokens=None if None in both else sum(tokens for tokens in both if tokens),
    )


WITHOUT_WINDOWS = replace(GEMMA2, pattern="F")
WHOLE_GEMMA3 = replace(
    GEMMA3, windowed=None, pattern="F"
)  # what was written may lie in a window, what was read does not


def t5gemma(c: Fields) -> Decoder:
    """Gemma 2's layers in both halves; the decoder's attend to what was read with weights of their own, whose keys and
    values are read from the encoder's width."""
    halves = [c.part(name, "t5_gemma_module") for name in ("encoder", "decoder")]
    if halves[0] is None or halves[1] is None:
        raise c.fail("encoder" if halves[0] is None else "decoder", "missing")
    reads, writes = halves[0], halves[1]
    c.ignore("vocab_size", "is_encoder_decoder")
    tied = c.flag("tied") if c.has("tied") else True
    for half in (reads, writes):
        half.ignore("vocab_size", "cross_attention_hidden_size", "tied", "is_decoder", "is_encoder_decoder")
        half.ignore("layer_types", "sliding_window")
        kept = {key: value for key, value in half.config.items() if key != "layer_types"}
        half.config = {**kept, "tie_word_embeddings": tied or half is reads}
        half.outer = c
    seen, written = WITHOUT_WINDOWS(reads), WITHOUT_WINDOWS(writes)
    hidden, width = writes.size("hidden_size"), reads.size("hidden_size")
    layers = {id(block): block + _crossing(writes, hidden, width) for block in written.layers}
    extra = tuple(weight for block in seen.layers for weight in _renamed(block.weights, "enc_"))
    extra += _renamed(seen.shared, "enc_")  # an embedding of its own
    both = (written.context_tokens, seen.context_tokens)
    return replace(
        written,
        layers=[layers[id(block)] for block in written.layers],
        shared=written.shared + extra,
        context_tokens=None if None in both else sum(tokens for tokens in both if tokens),
    )


def _crossing(c: Fields, hidden: int, width: int) -> Block:
    heads, kv_heads, head_dim = c.size("num_heads"), c.size("num_kv_heads"), c.size("head_dim")
    bias = c.flag("attention_bias")
    own = attention(hidden, mixer(c, "full", heads, kv_heads, head_dim), qkv_bias=bias, out_bias=bias)
    return Block(crossing(own, width)) + norms(("cross_attn_norm", "cross_attn_post_norm"), hidden)


def crossing(own: Block, width: int) -> tuple[Weight, ...]:
    """Weights of attention to an encoder, like those to what is written but that keys and values are read from
    `width`."""
    weights = _renamed(own.weights, "cross_")
    from_encoder = (weight._replace(shape=(weight.shape[0], width)) for weight in weights)
    return tuple(
        seen if weight.kind == "weight" and weight.role in ("cross_attn_k", "cross_attn_v") else weight
        for weight, seen in zip(weights, from_encoder, strict=True)
    )


def _renamed(weights: Sequence[Weight], prefix: str) -> tuple[Weight, ...]:
    return tuple(weight._replace(role=prefix + weight.role) for weight in weights)


FAMILIES: dict[str, Family] = {
    "bart": BART,
    "blenderbot": Halves(pre_norm=True, embedding_norm=False, positions=0),
    "florence2_language": BART,
    "m2m_100": Halves(pre_norm=True, embedding_norm=False, positions=None),
    "mbart": MBART,
    "mt5": t5,
    "pegasus": Halves(pre_norm=True, embedding_norm=False, positions=None, widest=True),
    "t5": t5,
    "t5gemma": t5gemma,
    "t5gemma2": t5gemma2,
    "udop": udop,
}
