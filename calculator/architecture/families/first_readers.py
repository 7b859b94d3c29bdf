"""The language models of the first models that read images: Kosmos-2.5 and Idefics.

Source: transformers 5.24.0, `models/kosmos2_5` and `models/idefics`.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, divides, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.dense import LLAMA
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Block, linear, norm, norms, vector


def kosmos(c: Fields) -> Decoder:
    """Kosmos-2.5: norms with biases, one of them inside the feed-forward, and a mark for what is an image."""
    c.config = {**c.config, "hidden_size": c.size("embed_dim"), "num_hidden_layers": c.size("layers")}
    hidden, heads, inner = c.size("hidden_size"), c.size("num_heads"), c.size("intermediate_size")
    divides(c, "num_heads", heads, "hidden_size", hidden)
    c.ignore("scale_embedding")
    layer = norms(PRE_NORMS, hidden, "layer")
    layer += attention(hidden, mixer(c, "full", heads, heads, hidden // heads), qkv_bias=True, out_bias=True)
    layer += dense(hidden, inner, gated=False, bias=True) + Block(norm("ffn_sub_norm", inner, "layer"))
    return decoder(c, [layer] * c.size("num_layers"), norm_kind="layer", extra=vector("segment_embd", 2, hidden))


def idefics(c: Fields) -> Decoder:
    """Idefics: Llama's layers, and before every so many of them one that attends to images, whose keys are made anew at
    each step."""
    model, hidden, heads = LLAMA(c), c.size("hidden_size"), c.size("num_heads")
    inner, every = c.size("intermediate_size"), c.size("cross_layer_interval", 1)
    extra, vision = c.count("additional_vocab_size"), (c.outer or c).part("vision_config", "idefics_vision")
    width = vision.size("embed_dim") if vision else 768
    crossing = linear("cross_attn_q", hidden, hidden) + linear("cross_attn_output", hidden, hidden)
    crossing += linear("cross_attn_k", hidden, width) + linear("cross_attn_v", hidden, width)
    if c.flag("qk_layer_norms"):
        crossing += norm("cross_attn_q_norm", hidden // heads) + norm("cross_attn_k_norm", hidden // heads)
    for role in ("cross_attn_norm", "cross_ffn_norm"):
        crossing += norm(role, hidden)
    crossing += linear("cross_ffn_gate", inner, hidden) + linear("cross_ffn_up", inner, hidden)
    crossing += linear("cross_ffn_down", hidden, inner)
    crossing += vector("cross_attn_gate", 1) + vector("cross_ffn_gate_scale", 1)
    c.ignore("alpha_type", "freeze_text_module_exceptions", "freeze_vision_module_exceptions", "freeze_text_layers")
    c.ignore("freeze_lm_head", "freeze_vision_layers", "use_resampler")
    both = {id(block): block + Block(crossing) for block in model.layers}
    layers = [both[id(block)] if index % every == 0 else block for index, block in enumerate(model.layers)]
    more = linear("token_embd", extra, hidden) + linear("output", extra, hidden) if extra else ()
    return replace(model, layers=layers, shared=model.shared + more)


FAMILIES: dict[str, Family] = {"idefics_text": idefics, "kosmos_2_5_text_model": kosmos}
