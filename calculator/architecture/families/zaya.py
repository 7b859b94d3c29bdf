"""ZAYA1: attention whose queries and keys go through two short convolutions, and half of whose values are those of the
token before; the router is a small network, and may choose to skip the experts.

Source: transformers 5.24.0, `models/zaya` (`modular_zaya.py`).
"""

from __future__ import annotations

from calculator.architecture.attention import geometry, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import ShortConvolution
from calculator.architecture.state_space import convolution
from calculator.architecture.tensors import Block, linear, norm, norms, vector

_KINDS = {"hybrid": "full", "hybrid_sliding": "sliding"}


def zaya(c: Fields) -> Decoder:
    hidden, number, rank = c.size("hidden_size"), c.size("num_layers"), c.size("router_hidden_size")
    words = c.words("layer_types", number) or ["hybrid"] * number
    for word in words:
        if word not in _KINDS:
            raise c.fail("layer_types", "unknown_layer_kind", kind=word, model_type=c.model_type)
    c.ignore("sliding_window")
    spec, bias = read_experts(c), c.flag("attention_bias")
    block = experts(hidden, spec)
    chosen = spec.num_experts + 1  # the last of them is none at all
    router = linear("ffn_gate_down", rank, hidden, True) + norm("ffn_gate_norm", rank)
    router += linear("ffn_gate_1", rank, rank, True) + linear("ffn_gate_2", rank, rank, True)
    router += linear("ffn_gate_inp", chosen, rank) + vector("exp_probs_b", chosen, kind="buffer")
    weights = router + tuple(weight for weight in block.weights if weight.role != "ffn_gate_inp")
    scales = vector("attn_residual", 4, hidden) + vector("ffn_residual", 4, hidden)
    rest = norms(PRE_NORMS, hidden) + Block(weights + scales, feed_forward=spec)
    layers = {word: _attention(c, _KINDS[word], bias) + rest for word in dict.fromkeys(words)}
    following = Block(vector("ffn_gate_states", rank))
    return decoder(
        c,
        [layers[word] + (following if index else Block()) for index, word in enumerate(words)],
        head_bias=c.flag("lm_head_bias"),
        extra=vector("token_embd_scale", 2, hidden),
    )


def _attention(c: Fields, kind: str, bias: bool) -> Block:
    hidden, (heads, kv_heads, head_dim) = c.size("hidden_size"), geometry(c)
    queries, keys = heads * head_dim, kv_heads * head_dim
    first, second = c.size("cca_time0", 2), c.size("cca_time1", 2)
    both = queries + keys
    weights = linear("attn_q", queries, hidden, bias) + linear("attn_k", keys, hidden, bias)
    weights += linear("attn_v", keys // 2, hidden, bias) + linear("attn_v_before", keys // 2, hidden, bias)
    weights += linear("attn_output", hidden, queries, bias) + convolution("shortconv.qk", both, first, True)
    weights += vector("shortconv.heads", both, head_dim, second) + vector("shortconv.heads", both, kind="bias")
    weights += vector("attn_k_scale", kv_heads)
    kept = ShortConvolution(conv_kernel=first + second - 2, conv_channels=both)
    before = ShortConvolution(conv_kernel=1, conv_channels=keys // 2)
    return Block(weights, (mixer(c, kind, heads, kv_heads, head_dim), kept, before))


FAMILIES: dict[str, Family] = {"zaya": zaya}
