"""Inkling: positions by a learned bias of distances, and four short convolutions within every layer.

Sources: transformers 5.24.0, `models/inkling`, `models/inkling2`, `models/inkling2_loop` (`modular_*.py`). Their
convolutions work on 32 bits, and so are their inputs kept.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import divides, mixer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Attention, ShortConvolution
from calculator.architecture.state_space import convolution
from calculator.architecture.tensors import Block, Weight, linear, norm, norms, vector

_KINDS = {"hybrid": "full", "hybrid_sliding": "sliding"}


def _kinds(c: Fields) -> list[str]:
    """Windowed layers, listed by kind or by number; else all but every sixth."""
    number = c.size("num_layers")
    words, local = c.words("layer_types", number), c.sizes("local_layer_ids")
    if words is not None:
        for word in words:
            if word not in _KINDS:
                raise c.fail("layer_types", "unknown_layer_kind", kind=word, model_type=c.model_type)
        return [_KINDS[word] for word in words]
    windowed = {i for i in range(number) if (i + 1) % 6} if local is None else set(local)
    if windowed and not 0 <= min(windowed) <= max(windowed) < number:
        raise c.fail("local_layer_ids", "out_of_range", value=max(windowed), least=0, most=number - 1)
    return ["sliding" if i in windowed else "full" for i in range(number)]


def _attention(c: Fields, kind: str) -> Attention:
    """Windowed layers have numbers and sizes of heads of their own."""
    prefix = "swa_" if kind == "sliding" else ""
    heads, kv_heads, head_dim = (
        c.size(prefix + name) for name in ("num_attention_heads", "num_key_value_heads", "head_dim")
    )
    divides(c, f"{prefix}num_key_value_heads", kv_heads, "num_attention_heads", heads)
    return mixer(c, kind, heads, kv_heads, head_dim)


def _convolved(c: Fields, spec: Attention) -> tuple[int, ShortConvolution]:
    """What the four convolutions of a layer keep: of keys, of values, and of what attention and feed-forward add."""
    kernel = c.size("sconv_kernel_size", None) or c.size("conv_kernel_size", 4)
    channels = 2 * spec.num_kv_heads * spec.head_dim + 2 * c.size("hidden_size")
    return kernel, ShortConvolution(conv_kernel=kernel, conv_channels=channels, in_f32=True)


def _distances(c: Fields, kind: str, heads: int) -> tuple[Weight, ...]:
    width, reach = c.size("d_rel"), c.size("sliding_window") if kind == "sliding" else c.size("rel_extent")
    return linear("attn_r", heads * width, c.size("hidden_size")) + vector("attn_rel_b", width, reach)


def _projections(hidden: int, spec: Attention) -> tuple[Weight, ...]:
    queries, keys = spec.num_heads * spec.head_dim, spec.num_kv_heads * spec.head_dim
    weights = linear("attn_q", queries, hidden) + linear("attn_k", keys, hidden) + linear("attn_v", keys, hidden)
    return weights + linear("attn_output", hidden, queries)


def inkling(c: Fields) -> Decoder:
    """The first: a few dense layers, then experts; the router scores the shared experts, too."""
    hidden, kinds = c.size("hidden_size"), _kinds(c)
    for flag in ("use_sconv", "use_embed_norm", "shared_expert_sink"):
        if not c.flag(flag, True):
            raise c.fail(flag, "unsupported_value", value=False)
    if c.has("dense_intermediate_size"):  # then `intermediate_size` is that of an expert
        dense_size, expert_size = "dense_intermediate_size", "intermediate_size"
    else:
        dense_size, expert_size = "intermediate_size", "expert_size"
    first = c.count("dense_mlp_idx")
    mlps = layer_kinds(c, "D" * first + "M" * len(kinds), name="mlp_layer_types")
    spec = read_experts(c, shared="count", expert_size=expert_size)
    scale = Block(vector("ffn_scale", 1))
    router = {"router_width": spec.num_experts + spec.num_shared_experts, "correction": "buffer"}
    feed_forwards = {"sparse": experts(hidden, spec, **router) + scale}  # type: ignore[arg-type]
    if "dense" in mlps:
        feed_forwards["dense"] = dense(hidden, c.size(dense_size)) + scale
    mixers = {kind: _first_mixer(c, kind) for kind in dict.fromkeys(kinds)}
    c.ignore("intermediate_size", "expert_size", "num_attention_heads", "num_key_value_heads", "head_dim")
    c.ignore("swa_num_attention_heads", "swa_num_key_value_heads", "swa_head_dim", "local_layer_ids", "rel_extent")
    c.ignore(
        "sliding_window",
        "mtp_local_layer_ids",
        "chain_hidden_post_norm",
        "mtp_hidden_states_first",
        "number_of_conv_states",
    )
    around = norms(PRE_NORMS, hidden)
    return decoder(
        c,
        [around + mixers[kind] + feed_forwards[mlp] for kind, mlp in zip(kinds, mlps, strict=True)],
        embedding_norm="rms",
        output_rows=c.size("unpadded_vocab_size", None),
    )


def _first_mixer(c: Fields, kind: str) -> Block:
    hidden, spec = c.size("hidden_size"), _attention(c, kind)
    kernel, kept = _convolved(c, spec)
    weights = _projections(hidden, spec) + _distances(c, kind, spec.num_heads)
    weights += norm("attn_q_norm", spec.head_dim) + norm("attn_k_norm", spec.head_dim)
    for role, width in (("k", spec.num_kv_heads * spec.head_dim), ("v", spec.num_kv_heads * spec.head_dim)):
        weights += convolution(f"shortconv.{role}", width, kernel)
    weights += convolution("shortconv.attn", hidden, kernel) + convolution("shortconv.ffn", hidden, kernel)
    return Block(weights, (spec, kept))


def inkling2(c: Fields) -> Decoder:
    """The second: experts throughout, gated attention with sinks that depend on the token, and attention to the sums
    of earlier blocks of layers."""
    hidden, kinds = c.size("hidden_size"), _kinds(c)
    c.ignore("n_layers_per_attn_res_block", "rel_extent", "sliding_window", "local_layer_ids", "intermediate_size")
    c.ignore("num_attention_heads", "num_key_value_heads", "head_dim", "conv_kernel_size", "sconv_kernel_size")
    c.ignore("swa_num_attention_heads", "swa_num_key_value_heads", "swa_head_dim")
    spec = read_experts(c)
    rest = experts(hidden, spec, correction="buffer") + Block(norm("ffn_norm", hidden) + vector("ffn_res", hidden))
    mixers = {kind: _second_mixer(c, kind) + rest for kind in dict.fromkeys(kinds)}
    queries = {"full": vector("attn_res", 3, hidden), "sliding": vector("attn_res", hidden)}
    layers = [mixers[kind] + Block(queries[kind] if index else ()) for index, kind in enumerate(kinds)]
    return decoder(
        c,
        layers,
        embedding_norm="rms",
        output_rows=c.size("unpadded_vocab_size", None),
        extra=vector("output_res", hidden),
    )


def _second_mixer(c: Fields, kind: str) -> Block:
    """Where all is seen, queries, keys and values have norms of their own, and the weights of the convolutions of keys
    and values depend on the token."""
    hidden, spec = c.size("hidden_size"), _attention(c, kind)
    heads, kv_heads, head_dim = spec.num_heads, spec.num_kv_heads, spec.head_dim
    kernel, kept = _convolved(c, spec)
    weights = _projections(hidden, spec) + _distances(c, kind, heads)
    weights += linear("attn_gate", heads * head_dim, hidden) + linear("attn_sinks", heads, hidden)
    weights += vector("attn_q_scale", heads, head_dim) + vector("attn_r_scale", heads, c.size("d_rel"))
    for role in "kv":
        if kind == "full":
            weights += vector(f"shortconv.{role}", kernel, kv_heads * head_dim)
            weights += linear(f"shortconv.{role}_taps", kv_heads * kernel, hidden)
        else:
            weights += convolution(f"shortconv.{role}", kv_heads * head_dim, kernel)
    weights += convolution("shortconv.attn", hidden, kernel) + convolution("shortconv.ffn", hidden, kernel)
    roles = ("attn_norm", "attn_k_in_norm", "attn_v_in_norm") if kind == "full" else ("attn_norm",)
    return norms(roles, hidden) + Block(weights, (spec, kept))


def inkling2_loop(c: Fields) -> Decoder:
    """Its middle layers run several times, and keep keys, values and inputs of convolutions for each time; gated
    messages of the time before go in."""
    inner = c.part("loop_config", c.model_type)
    names = (
        ("core_start", "core_end", "num_passes", "gate_rank")
        if inner
        else ("loop_layer_index_start", "loop_layer_index_end", "loop_num_passes", "loop_gate_rank")
    )
    at = inner or c
    c.ignore("loop_layer_index_start", "loop_layer_index_end", "loop_num_passes", "loop_gate_rank")
    start, end, passes, rank = (at.size(name, default) for name, default in zip(names, (6, 18, 3, 64), strict=True))
    model, hidden = inkling2(c), c.size("hidden_size")
    if not start < end <= len(model.layers):
        raise at.fail(names[1], "out_of_range", value=end, least=start + 1, most=len(model.layers))
    if passes > 64:
        raise at.fail(names[2], "out_of_range", value=passes, least=1, most=64)
    gates: tuple[Weight, ...] = ()
    for role in ("attn_q", "attn_k", "attn_v", "ffn"):
        gates += linear(f"{role}_loop_down", rank, 2 * hidden)
        gates += linear(f"{role}_loop_forget", hidden, rank) + linear(f"{role}_loop_gate", hidden, rank)
    again = {id(block): replace(block, mixers=block.mixers * passes) + Block(gates) for block in model.layers}
    layers = [again[id(block)] if start <= i < end else block for i, block in enumerate(model.layers)]
    messages = vector("loop_res", end - start, 4, hidden)
    return replace(model, layers=layers, shared=model.shared + messages)


FAMILIES: dict[str, Family] = {"inkling_text": inkling, "inkling2_text": inkling2, "inkling2_loop_text": inkling2_loop}
