"""Llama 4 (chunks, experts in between) and Llama 3.2 Vision (cross-attention to an image in between)."""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.dense import BIASED
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import dense, experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import CrossAttention, Experts
from calculator.architecture.tensors import Block, norms, vector


def llama4(c: Fields) -> Decoder:
    """Llama 4: layers with rotary positions attend in chunks, the others see everything; `moe_layers` are sparse."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    size = c.size("intermediate_size")
    step, interval = c.size("interleave_moe_layer_step", 1), c.size("no_rope_layer_interval", 4)
    sparse = c.sizes("moe_layers")
    sparse = list(range(step - 1, number, step)) if sparse is None else sparse
    rope = c.sizes("no_rope_layers", None) or [int((i + 1) % interval != 0) for i in range(number)]
    chunk = c.size("attention_chunk_size", None)
    if c.has("layer_types"):
        kinds = layer_kinds(c)
    elif len(rope) != number:
        raise c.fail("no_rope_layers", "wrong_length", length=len(rope), expected=number)
    else:
        kinds = ["chunked" if flag and chunk else "full" for flag in rope]
    spec = Experts(
        num_experts=c.size("num_experts"),
        num_active_experts=c.size("num_active_experts"),
        expert_size=size,
        num_shared_experts=1,
        shared_size=size,
    )
    c.ignore("use_qk_norm", "attn_temperature_tuning", "for_llm_compressor")
    mixers = {kind: BIASED.mixer(c, kind) for kind in dict.fromkeys(kinds)}
    feed_forwards = {
        True: experts(hidden, spec),
        False: dense(hidden, c.size("intermediate_size_mlp", size)),
    }
    around = norms(PRE_NORMS, hidden)
    pairs = [(kind, i in sparse) for i, kind in enumerate(kinds)]
    layers = {pair: around + mixers[pair[0]] + feed_forwards[pair[1]] for pair in dict.fromkeys(pairs)}
    return decoder(c, [layers[pair] for pair in pairs])


def mllama(c: Fields) -> Decoder:
    """Llama 3.2 Vision: `cross_attention_layers` read the image; eight more rows of embedding for image tokens."""
    hidden, crossed = c.size("hidden_size"), set(c.sizes("cross_attention_layers") or ())
    heads, kv_heads, head_dim = geometry(c)
    vision = c.outer.part("vision_config", "mllama_vision_model") if c.outer else None
    tokens = 1
    if vision is not None:  # each tile of the image gives a token per patch and one for itself
        tokens = ((vision.size("image_size") // vision.size("patch_size")) ** 2 + 1) * vision.size("max_num_tiles")
    cross = CrossAttention(
        num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, value_head_dim=head_dim, encoder_tokens=tokens
    )
    gates = Block(vector("cross_attn_attn_gate", 1) + vector("cross_attn_mlp_gate", 1))
    own = attention(hidden, mixer(c, "full", heads, kv_heads, head_dim))
    around = norms(PRE_NORMS, hidden) + dense(hidden, c.size("intermediate_size"))
    seen = attention(hidden, cross, qk_norm="head")
    seen = replace(seen, weights=tuple(w._replace(role=f"cross_{w.role}") for w in seen.weights))
    layers = {False: around + own, True: around + seen + gates}
    return decoder(c, [layers[i in crossed] for i in range(c.size("num_layers"))], extra_rows=8)


FAMILIES: dict[str, Family] = {"llama4_text": llama4, "mllama_text_model": mllama}
