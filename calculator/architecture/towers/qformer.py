"""BLIP-2's way into the text: learned queries that look at what an encoder made of the image (arXiv:2301.12597).

Sources: transformers 5.24.0, `models/blip_2` and `models/instructblip` (`modeling_*.py`, `configuration_*.py`).
"""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, patches, vision_of


def blip_2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    return _read(outer, hidden, "blip_2")


def instructblip(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """The queries read the instruction, too: with BERT's embeddings and a feed-forward apart for its tokens."""
    return _read(outer, hidden, "instructblip")


def _read(outer: Fields, hidden: int, model_type: str) -> tuple[Tower, ...]:
    c = vision_of(outer, f"{model_type}_vision_model")
    q = part_of(outer, "qformer_config", f"{model_type}_qformer")
    outer.ignore("image_text_hidden_size", "use_decoder_only_language_model")
    c.ignore("num_heads", "projection_dim")
    width, patch = c.size("hidden_size"), c.size("patch_size")
    places = (c.size("image_size") // patch) ** 2 + 1
    outside = patches(width, c.size("num_channels", 3), patch, patch, bias=True)
    outside += vector("v.class_embd", width) + vector("v.position_embd", places, width)
    outside += norm("v.post_ln", width, "layer")
    layer = block(width, c.size("intermediate_size"), fused_qkv=True, qkv_bias=c.flag("qkv_bias", True))
    inner = q.size("hidden_size")
    outside += vector("mm.query_tokens", outer.size("num_query_tokens", 32), inner)
    outside += linear("mm.model.fc", hidden, inner, True)
    queries = _queries(q, inner, width, model_type == "instructblip")
    return (Tower("vision", outside + queries[0], [layer] * c.size("num_layers") + queries[1]),)


def _queries(q: Fields, width: int, seen: int, instructed: bool) -> tuple[Weights, list[Weights]]:
    """What stands outside the layers, and these; every so many looks at the image, whose vectors are `seen` wide."""
    every, inner = q.size("cross_attention_frequency"), q.size("intermediate_size")
    words, places = q.size("vocab_size"), q.size("max_position_embeddings")
    q.ignore("num_heads", "encoder_hidden_size")  # the library sets it to the encoder's
    reads = instructed or q.flag("use_qformer_text_input", False)
    outside = norm("mm.qf.norm", width, "layer")
    if instructed:
        outside += vector("mm.qf.token_embd", words, width) + vector("mm.qf.position_embd", places, width)
    forward = _forward("mm.qf.ffn", width, inner)
    plain = _attends("mm.qf.attn", width, width) + forward * (2 if reads else 1)
    looks = plain + _attends("mm.qf.cross_attn", width, seen)
    return outside, [plain if index % every else looks for index in range(q.size("num_layers"))]


def _attends(role: str, width: int, seen: int) -> Weights:
    weights = norm(f"{role}_norm", width, "layer") + linear(f"{role}_q", width, width, True)
    weights += linear(f"{role}_k", width, seen, True) + linear(f"{role}_v", width, seen, True)
    return weights + linear(f"{role}_out", width, width, True)


def _forward(role: str, width: int, inner: int) -> Weights:
    weights = norm(f"{role}_norm", width, "layer") + linear(f"{role}_up", inner, width, True)
    return weights + linear(f"{role}_down", width, inner, True)


TOWERS: dict[str, Towers] = {"blip-2": blip_2, "instructblip": instructblip}
