"""Linear attention of flash-linear-attention (0.6.0): gated (GLA, arXiv:2312.06635) and retention (RetNet,
arXiv:2307.08621), each with a matrix of state for every head.

Source: `fla/layers/gla.py`, `multiscale_retention.py`, `fla/modules/mlp.py` and `fla/models` of that package.
"""

from __future__ import annotations

from calculator.architecture.attention import attention, divides, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.shape import LinearAttention
from calculator.architecture.shown import short
from calculator.architecture.state_space import convolution
from calculator.architecture.tensors import Block, linear, norm, norms

LOW_RANK = 16  # of GLA's gate, which no config states
UNREAD = (
    *("fuse_norm", "fuse_swiglu", "fuse_cross_entropy", "fuse_linear_cross_entropy", "elementwise_affine"),
    *("conv_size", "hidden_ratio", "clamp_min", "use_l2warp", "attn_mode", "feature_map", "attn"),
)


def _mixer(c: Fields, heads: int, expand: tuple[float, float], *, gated: bool) -> Block:
    hidden, kv_heads = c.size("hidden_size"), c.size("num_kv_heads", heads)
    divides(c, "num_kv_heads", kv_heads, "num_heads", heads)
    keys, values = (
        round(hidden * c.number(name, default)) for name, default in zip(("expand_k", "expand_v"), expand, strict=True)
    )
    for name, width in (("expand_k", keys), ("expand_v", values)):
        if width % heads and not c.faults:
            raise c.fail(name, "does_not_divide", value=heads, of="num_heads", total=width)
    shared = heads // kv_heads
    kernel = c.size("conv_size", 4) if c.flag("use_short_conv") else 0
    weights = linear("attn_q", keys, hidden) + linear("attn_k", keys // shared, hidden)
    weights += linear("attn_v", values // shared, hidden)
    weights += linear("attn_gate", values, hidden) if c.flag("use_output_gate", True) else ()
    channels = keys + (keys + values) // shared
    weights += convolution("ssm_conv1d", channels, kernel) if kernel else ()
    if gated:
        weights += linear("ssm_f_a", LOW_RANK, hidden) + linear("ssm_f_b", keys // shared, LOW_RANK, True)
    weights += norm("ssm_norm", values // heads) + linear("ssm_out", hidden, values)
    spec = LinearAttention(
        kind="gated_linear" if gated else "retention",
        num_key_heads=kv_heads,
        num_value_heads=heads,
        key_head_dim=keys // heads,
        value_head_dim=values // heads,
        conv_kernel=kernel,
        conv_channels=channels if kernel else 0,
    )
    return Block(weights, (spec,))


def _softmax(c: Fields) -> tuple[set[int], Block]:
    """Layers that attend in the plain way, where the config lists any (`attn`)."""
    if c.value("attn") is None:
        return set(), Block()
    at = c.part("attn", c.model_type)
    if at is None:
        return set(), Block()
    hidden, heads = c.size("hidden_size"), at.size("num_heads")
    divides(at, "num_heads", heads, "hidden_size", hidden)
    window = at.size("window_size", None)
    if window is not None:
        raise at.fail("window_size", "unsupported_value", value=short(window))
    at.ignore("rope_theta")
    bias, normed = at.flag("qkv_bias"), "head" if at.flag("qk_norm") else ""
    spec = mixer(at, "full", heads, at.size("num_kv_heads", heads), max(hidden // heads, 1))
    return set(at.sizes("layers") or ()), attention(hidden, spec, qkv_bias=bias, qk_norm=normed)


def _decoder(c: Fields, heads: int, expand: tuple[float, float], ratio: float, *, gated: bool) -> Decoder:
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    if c.size("attnres_block_size", None) is not None:
        raise c.fail("attnres_block_size", "unsupported_value", value=c.size("attnres_block_size"))
    inner = c.size("intermediate_size", None)
    if inner is None:
        inner = -(-int(hidden * c.number("hidden_ratio", ratio) * 2 / 3) // 256) * 256
    listed, plain = _softmax(c)
    c.ignore(*UNREAD)
    around = norms(PRE_NORMS, hidden) + dense(hidden, inner)
    own = around + _mixer(c, heads, expand, gated=gated)
    softmax = around + plain
    return decoder(c, [softmax if index in listed else own for index in range(number)])


def gla(c: Fields) -> Decoder:
    if c.flag("use_gv") or not c.flag("use_gk", True):
        raise c.fail("use_gv", "unsupported_value", value=str(c.flag("use_gv")).lower())
    return _decoder(c, c.size("num_heads", 4), (0.5, 1), 4, gated=True)


def retnet(c: Fields) -> Decoder:
    return _decoder(c, c.size("num_heads", 8), (1, 2), 2, gated=False)


FAMILIES: dict[str, Family] = {"gla": gla, "retnet": retnet}
