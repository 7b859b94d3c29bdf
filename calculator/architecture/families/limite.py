"""Limite (Paradigma): values with a table of their own for each word, layers that read earlier ones, norms that store
nothing.

Source: mlx-vlm 0.7.10, `models/limite`. Its windows bound what is looked at, not what is kept. The count is that of the
published checkpoint.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import Family
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Block, Weight, linear, vector


def limite(c: Fields) -> Decoder:
    hidden, number, (heads, kv_heads, head_dim) = c.size("hidden_size"), c.size("num_layers"), geometry(c)
    c.config = {"tie_word_embeddings": True, **c.config}
    stored, gates = c.size("ve_stored_heads", 2), c.count("attn_gate_channels", 128)
    valued = set(c.sizes("ve_layers") or ())
    c.ignore("attention_softmax_scale", "attn_gate_scale", "ve_gate_scale", "xsa_normalize_eps", "global_layers")
    c.ignore("global_nope", "global_window", "sliding_window", "rope_base_local", "rope_n_pairs", "rope_per_layer")
    c.ignore("mudd_layers", "mudd_tap_idx", "final_softcap", "softcap_logits", "rms_norm_eps_mode", "xsa", "xsa_layers")
    word = c.word("mlp_type", "swiglu")
    if word not in ("swiglu", "relu2"):
        raise c.fail("mlp_type", "unsupported_value", value=word[:40])
    plain = attention(hidden, mixer(c, "full", heads, kv_heads, head_dim))
    plain += dense(hidden, c.size("intermediate_size"), gated=word == "swiglu")
    plain += Block(vector("layer_scales", 6) + vector("attn_apart", heads))
    plain += Block(vector("attn_gate", heads, gates) if gates else ())
    with_values = plain + Block(vector("attn_v_gate", stored, c.size("ve_gate_channels", 12)))
    shared: tuple[Weight, ...] = linear("value_embd", c.size("vocab_size"), stored * c.size("ve_dim", 128))
    taps, inner = c.size("mudd_taps", 3), c.size("mudd_inter", 32)
    if c.flag("mudd", True):
        shared += linear("mudd_in", inner, hidden)
        for _way in range(2 if c.flag("mudd_mlp", True) else 1):
            shared += vector("mudd_out", number, taps, inner) + vector("mudd_out", number, taps, kind="bias")
    model = decoder(c, [with_values if index in valued else plain for index in range(number)], final_norm=False)
    return replace(model, shared=model.shared + shared)


FAMILIES: dict[str, Family] = {"limite": limite}
