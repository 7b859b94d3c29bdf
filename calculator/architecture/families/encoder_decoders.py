"""Decoders that attend to an encoder of texts: BART (arXiv:1910.13461), T5 (arXiv:1910.10683) and mT5.

Source: transformers 5.24.0, `models/bart`, `models/t5`, `models/mt5`. What is read is in the encoder once and what is
written in the decoder, whose layers keep the keys and values of both: as many tokens as the context has together.
"""

from __future__ import annotations

from calculator.architecture.attention import attention, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import Family
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Block, Weight, norm, norms, vector

ENCODER_DECODERS = frozenset({"bart", "florence2_language", "mt5", "t5"})
_UNREAD = (
    *("add_bias_logits", "classif_dropout", "decoder_layerdrop", "encoder_layerdrop", "extra_pos_embeddings"),
    *("is_encoder_decoder", "normalize_embedding", "num_hidden_layers", "scale_embedding", "num_beams"),
)
_ONLY = ("normalize_before", "static_position_embeddings", "add_final_layer_norm")


def bart(c: Fields) -> Decoder:
    """Norms behind each part, biases everywhere, learned positions that begin with the third row."""
    for key in _ONLY:
        if c.flag(key):
            raise c.fail(key, "unsupported_value", value="true")
    layers = c.size("decoder_layers")
    c.config = {"tie_word_embeddings": True, **c.config, "num_hidden_layers": layers}
    c.ignore(*_UNREAD)
    hidden, heads, inner = c.size("hidden_size"), c.size("decoder_attention_heads"), c.size("decoder_ffn_dim")
    spec = mixer(c, "full", heads, heads, hidden // heads)
    own = attention(hidden, spec, qkv_bias=True, out_bias=True)
    layer = own + norms(("attn_post_norm", "cross_attn_post_norm", "ffn_post_norm"), hidden, "layer")
    layer += Block(_renamed(own.weights, "cross_")) + dense(hidden, inner, gated=False, bias=True)
    c.ignore("encoder_attention_heads")
    read = own + norms(("attn_post_norm", "ffn_post_norm"), hidden, "layer")
    read += dense(hidden, c.size("encoder_ffn_dim"), gated=False, bias=True)
    rows = c.size("context") + 2
    extra = vector("position_embd", rows, hidden) * 2 + norm("token_embd_norm", hidden, "layer") * 2
    extra += _renamed(read.weights, "enc_") * c.size("encoder_layers")
    extra += vector("output", c.size("vocab_size"), kind="buffer")
    return decoder(c, [layer] * layers, final_norm=False, extra=extra)


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
    return decoder(c, [layer] * decoders, extra=extra)


def _renamed(weights: tuple[Weight, ...], prefix: str) -> tuple[Weight, ...]:
    return tuple(weight._replace(role=prefix + weight.role) for weight in weights)


FAMILIES: dict[str, Family] = {"bart": bart, "florence2_language": bart, "mt5": t5, "t5": t5}
