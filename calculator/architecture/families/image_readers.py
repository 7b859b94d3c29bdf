"""Decoders that attend in each layer to what an encoder made of an image: TrOCR (arXiv:2109.10282), Donut
(arXiv:2111.15664) and others of `vision-encoder-decoder`, BLIP (arXiv:2201.12086), Pix2Struct (arXiv:2210.03347).

Source: transformers 5.24.0, `models/vision_encoder_decoder`, `trocr`, `mbart`, `gpt2`, `bert`, `roberta`, `blip`,
`pix2struct`. The image is all that is read, so that its encoder counts with the text; each layer keeps keys and values
of its positions, however little is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from calculator.architecture.attention import attention, divides
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.classic import GPT2
from calculator.architecture.families.encoder_decoders import MBART, UNREAD, Halves, crossing
from calculator.architecture.families.image_encoders import Seen, blip_vision, image_encoder, pix2struct_vision, sides
from calculator.architecture.families.standard import Family
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.shape import CrossAttention, FullAttention
from calculator.architecture.tensors import Block, Weight, linear, norm, norms, vector
from calculator.architecture.towers.radio import radio

READERS_OF_IMAGES = frozenset({"blip", "nemotron_parse", "pix2struct", "vision-encoder-decoder"})


def _sizes(hidden: int, heads: int) -> dict[str, int]:
    width = hidden // heads
    return {"num_heads": heads, "num_kv_heads": heads, "head_dim": width, "value_head_dim": width}


def attends(hidden: int, heads: int, bias: bool = True) -> Block:
    return attention(hidden, FullAttention(**_sizes(hidden, heads)), qkv_bias=bias, out_bias=bias)


def sees(hidden: int, heads: int, seen: Seen, *, width: int, bias: bool = True) -> Block:
    """Attention to what was seen, whose keys and values are read from `width`."""
    image = CrossAttention(**_sizes(hidden, heads), encoder_tokens=seen.tokens)
    return Block(crossing(attends(hidden, heads, bias), width), (image,))


def _bart(halves: Halves, c: Fields, seen: Seen) -> Decoder:
    """TrOCR's and mBART's decoder: the half of BART's that writes."""
    layers, hidden = c.size("decoder_layers"), c.size("hidden_size")
    c.config = {"tie_word_embeddings": True, **c.config, "num_hidden_layers": layers}
    c.ignore(*UNREAD, "cross_attention_hidden_size", "encoder_layers", "encoder_attention_heads", "encoder_ffn_dim")
    c.ignore("max_length", "add_cross_attention", "is_decoder", "normalize_before", "add_final_layer_norm")
    width = c.size("cross_attention_hidden_size", hidden)
    heads = c.size("decoder_attention_heads")
    divides(c, "decoder_attention_heads", heads, "hidden_size", hidden)
    block = attends(hidden, heads) + sees(hidden, heads, seen, width=width)
    block += norms(("attn_norm", "cross_attn_norm", "ffn_norm"), hidden, "layer")
    block += dense(hidden, c.size("decoder_ffn_dim"), gated=False, bias=True)
    return decoder(c, [block] * layers, final_norm=False, extra=halves.outside(c))


def _trocr(c: Fields, seen: Seen) -> Decoder:
    learned = c.flag("use_learned_position_embeddings", True)
    normed = c.flag("layernorm_embedding", True)
    return _bart(Halves(positions=2 if learned else None, embedding_norm=normed), c, seen)


def _mbart(c: Fields, seen: Seen) -> Decoder:
    return _bart(MBART, c, seen)


def _gpt2(c: Fields, seen: Seen) -> Decoder:
    c.ignore("add_cross_attention", "is_decoder")
    c.config = {"tie_word_embeddings": True, **c.config}
    model, hidden = GPT2(c), c.size("hidden_size")
    more = sees(hidden, c.size("num_heads"), seen, width=hidden) + norms(("cross_attn_norm",), hidden, "layer")
    layers = {id(block): block + more for block in model.layers}
    return replace(model, layers=[layers[id(block)] for block in model.layers])


def _bert(c: Fields, seen: Seen, *, width: int | None = None) -> Decoder:
    """BERT made to write: norms behind each part, and a layer of its own before the output, whose matrix is the
    embedding's."""
    c.config = {"tie_word_embeddings": True, **c.config}
    hidden, heads, inner, number = (
        c.size(name) for name in ("hidden_size", "num_heads", "intermediate_size", "num_layers")
    )
    c.ignore("position_embedding_type", "add_cross_attention", "is_decoder", "encoder_hidden_size", "projection_dim")
    c.ignore("cross_attention_hidden_size", "classifier_dropout", "label_smoothing", "bos_token_id")
    divides(c, "num_heads", heads, "hidden_size", hidden)
    block = attends(hidden, heads) + sees(hidden, heads, seen, width=width or hidden)
    block += norms(("attn_post_norm", "cross_attn_norm", "ffn_post_norm"), hidden, "layer")
    block += dense(hidden, inner, gated=False, bias=True)
    extra = vector("position_embd", c.size("context"), hidden)
    kinds = c.count("type_vocab_size", 2) if c.model_type != "blip_text_model" else 0
    extra += vector("token_types", kinds, hidden) if kinds else ()
    extra += linear("output_transform", hidden, hidden, True) + norm("output_norm", hidden, "layer")
    return decoder(c, [block] * number, final_norm=False, embedding_norm="layer", head_bias=True, extra=extra)


DECODERS: dict[str, Callable[[Fields, Seen], Decoder]] = {
    "bert": _bert,
    "gpt2": _gpt2,
    "mbart": _mbart,
    "roberta": _bert,
    "trocr": _trocr,
    "xlm-roberta": _bert,
}


def vision_encoder_decoder(c: Fields) -> Decoder:
    """Any encoder of images before any decoder; where their widths differ, a projection lies between, unless the
    decoder reads the encoder's itself."""
    parts = c.part("encoder"), c.part("decoder")
    c.ignore("tied", "is_encoder_decoder", "vocab_size", "max_length", "num_beams")
    if parts[0] is None or parts[1] is None:
        raise c.fail("encoder" if parts[0] is None else "decoder", "missing")
    seen, writes = image_encoder(parts[0]), parts[1]
    if writes.model_type not in DECODERS:
        raise writes.fail("model_type", "unknown_model_type", value=writes.model_type[:80])
    writes.outer = c
    own_width = writes.has("cross_attention_hidden_size")
    model = DECODERS[writes.model_type](writes, seen)
    between: tuple[Weight, ...] = ()
    if seen.width != model.hidden_size and not own_width:
        between = linear("mm.projection", model.hidden_size, seen.width, True)
    return replace(model, shared=model.shared + seen.weights + between, decoder_type=writes.model_type)


def blip(c: Fields) -> Decoder:
    text, vision = c.part("text_config", "blip_text_model"), c.part("vision_config", "blip_vision_model")
    if text is None or vision is None:
        raise c.fail("text_config" if text is None else "vision_config", "missing")
    c.ignore("projection_dim", "image_text_hidden_size", "tied", "label_smoothing")
    text.outer = c
    seen = blip_vision(vision)
    model = _bert(text, seen, width=text.size("encoder_hidden_size", seen.width))
    return replace(model, shared=model.shared + seen.weights)


def pix2struct(c: Fields) -> Decoder:
    """T5's layers with a gate, and heads as wide as the model; the head is a matrix of its own."""
    text, vision = c.part("text_config", "pix2struct_text_model"), c.part("vision_config", "pix2struct_vision_model")
    if text is None or vision is None:
        raise c.fail("text_config" if text is None else "vision_config", "missing")
    c.ignore("tied", "is_encoder_decoder", "is_vqa")
    text.outer = c
    text.ignore("d_kv", "relative_attention_max_distance", "is_decoder", "tied", "decoder_start_token_id")
    text.config = {**text.config, "tie_word_embeddings": c.flag("tied")}
    seen = pix2struct_vision(vision)
    hidden, heads, inner = text.size("hidden_size"), text.size("num_heads"), text.size("intermediate_size")
    divides(text, "num_heads", heads, "hidden_size", hidden)
    block = attends(hidden, heads, bias=False) + sees(hidden, heads, seen, width=hidden, bias=False)
    block += norms(("attn_norm", "cross_attn_norm", "ffn_norm"), hidden) + dense(hidden, inner)
    extra = vector("attn_rel_b", text.size("relative_attention_num_buckets", 32), heads)
    model = decoder(text, [block] * text.size("num_layers"), extra=extra)
    return replace(model, shared=model.shared + seen.weights)


NECK = 1024  # as wide as the decoder, whatever it says


def nemotron_parse(c: Fields) -> Decoder:
    """mBART's decoder without positions behind RADIO: four neighbours in a row become one, and what RADIO says of the
    whole is one position more (vLLM 0.33.0, `models/nemotron_parse.py`; heads beside the output as in NVIDIA's
    NeMo-Automodel)."""
    reads, writes = c.part("encoder", "radio"), c.part("decoder", "nemotron_parse_text")
    if reads is None or writes is None:
        raise c.fail("encoder" if reads is None else "decoder", "missing")
    height, across = sides(c, "image_size")
    c.ignore("vocab_size", "is_encoder_decoder", "class_token_start_idx", "num_extra_heads", "context")
    width, outside, layers = radio(reads)
    patch = reads.size("patch_size", 16)
    seen = Seen(
        outside + tuple(weight for layer in layers for weight in layer),
        NECK,
        height // patch * (across // patch // 4) + 1,
    )
    neck = linear("mm.1", NECK, width, True) + vector("mm.downsample", NECK, NECK, 1, 4)
    neck += linear("mm.summary", NECK, 3 * width, True)
    for role in ("mm.1_norm", "mm.downsample_norm", "mm.summary_norm"):
        neck += norm(role, NECK, "layer")
    writes.ignore("context")
    writes.config = {
        "max_position_embeddings": c.size("context", None),
        **writes.config,
        "tie_word_embeddings": c.flag("tied") or writes.flag("tied"),
    }
    writes.outer = c
    model, hidden = _bart(replace(MBART, positions=None), writes, seen), writes.size("hidden_size")
    if (number := c.count("num_extra_heads")) > MOST_LAYERS:
        raise c.fail("num_extra_heads", "out_of_range", value=number, least=0, most=MOST_LAYERS)
    beside = linear("extra_head", hidden, hidden, True) * (2 * number)
    return replace(model, shared=model.shared + seen.weights + neck + beside)


FAMILIES: dict[str, Family] = {
    "blip": blip,
    "nemotron_parse": nemotron_parse,
    "pix2struct": pix2struct,
    "vision-encoder-decoder": vision_encoder_decoder,
}
