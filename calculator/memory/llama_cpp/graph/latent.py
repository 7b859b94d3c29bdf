"""Latent attention as llama.cpp runs it: keys and values stay compressed, queries are projected into their space
(`src/models/deepseek2.cpp`), with the indexer of DeepSeek-V3.2 (`deepseek32.cpp`), or decompressed (`minicpm3.cpp`)."""

from __future__ import annotations

from calculator.architecture.shape import Indexer, LatentAttention
from calculator.memory.llama_cpp.graph.builder import Builder, Cached
from calculator.memory.llama_cpp.graph.cached_attention import attend, cached_keys, keys_seen_as_values, store_keys
from calculator.memory.llama_cpp.graph.flash_size import flash_size
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor, given, node, same, sized, view


def latent_attention(
    build: Builder,
    spec: LatentAttention,
    cached: tuple[Cached, ...],
    x: Tensor,
) -> Tensor:
    heads, tokens = spec.num_heads, x.extent[1]
    ranked = _query_input(build, x)
    if spec.indexer is not None and "indexer.attn_k" in build.roles:
        build.chosen = _choose(build, spec.indexer, cached[-1], ranked, x)
    query = build.project("attn_q_b" if ranked is not x else "attn_q", ranked)
    query = view(query, (spec.qk_nope_head_dim + spec.qk_rope_head_dim, heads, tokens))
    compressed = build.project("attn_kv_a_mqa", x)
    latent = view(compressed, (spec.kv_lora_rank, tokens), "latent", compressed)
    key = view(compressed, (spec.qk_rope_head_dim, 1, tokens), "rotary", compressed)
    key = build.rope(key)
    latent = build.norm("attn_kv_a_norm", latent)
    plain = view(query, (spec.qk_nope_head_dim, tokens, heads), "plain", query)
    rotated = view(query, (spec.qk_rope_head_dim, heads, tokens), "rotary", query)
    rotated = build.rope(rotated)
    absorbed = node("mul_mat", (spec.kv_lora_rank, tokens, heads), build.weight("attn_k_b"), plain)
    absorbed = view(absorbed, (spec.kv_lora_rank, heads, tokens), "permuted", absorbed)
    latent = view(latent, (spec.kv_lora_rank, 1, tokens))
    if spec.qk_rope_head_dim:
        width = spec.kv_lora_rank + spec.qk_rope_head_dim
        query = node("concat", (width, heads, tokens), absorbed, rotated)
        key = node("concat", (width, 1, tokens), latent, key)
    else:
        query, key = absorbed, latent
    for tensor in (query, latent, key):
        build.graph.expand(tensor)
    build.graph.expand(store_keys(build, cached[0].number, key))
    mask = _only(build, cached[0], build.chosen) if build.chosen is not None else None
    return _attend(build, spec, cached[0], query, mask)


def _query_input(build: Builder, x: Tensor) -> Tensor:
    if "attn_q_a" not in build.roles:
        return x
    return build.norm("attn_q_a_norm", build.project("attn_q_a", x))


def _attend(build: Builder, spec: LatentAttention, cached: Cached, query: Tensor, mask: Tensor | None) -> Tensor:
    """`build_attn_mha` with `v_mla`: values are a view of the keys, so only keys are copied to F16."""
    setting, heads, rank = build.setting, spec.num_heads, spec.kv_lora_rank
    tokens, streams, value = setting.tokens, setting.streams, spec.value_head_dim
    mask = mask or build.mask(cached.number)
    query = view(query, (query.rows, heads, tokens // streams, streams), "streams", query)
    query = view(query, (query.rows, tokens // streams, heads, streams), "permuted", query)
    keys, values = cached_keys(build, cached), keys_seen_as_values(build, cached, rank)
    if setting.flash:
        fixed, extent = 4 * rank * heads * tokens, (rank, heads, tokens // streams, streams)
        mixed = Tensor("flash_attn", extent, (query, keys, values, mask), Size(fixed))
        mixed.card_size = flash_size(setting, cached, Size(fixed), heads, rank)
        if build.cache_place == build.host and setting.keys_copied:  # a copy of the values is no view of the keys
            mixed.card_size = mixed.card_size._replace(per_cell=mixed.card_size.per_cell + 2 * rank * streams)
        build.attended.append((mixed, build.place))
        mixed = view(mixed, (rank, tokens // streams, heads, streams), "permuted", mixed)
        out = node("mul_mat", (value, tokens // streams, heads, streams), build.weight("attn_v_b"), mixed)
        out = view(out, (value, heads, tokens // streams, streams), "permuted", out)
        out = view(same("cont", out), (value * heads, tokens))
    else:
        extent = (0, tokens // streams, heads, streams)
        scores = sized("mul_mat", extent, Size(0, 4 * heads * tokens, cached.number), keys, query)
        scores = same("soft_max", scores, mask)
        turned = sized("cont", (0, rank, 1, streams), Size(0, 2 * rank * streams, cached.number), values, unit=2)
        mixed = node("mul_mat", (rank, tokens // streams, heads, streams), turned, scores)
        out = node("mul_mat", (value, tokens // streams, heads, streams), build.weight("attn_v_b"), mixed)
        out = node("cont", (value * heads, tokens), view(out, (value, heads, tokens), "permuted", out))
    build.graph.expand(out)
    return build.project("attn_output", out)


def _choose(build: Builder, indexer: Indexer, cached: Cached, ranked: Tensor, x: Tensor) -> Tensor:
    """The lightning indexer: scores of all cells, and the best of them."""
    setting, tokens = build.setting, x.extent[1]
    size, heads, streams = indexer.head_dim, indexer.num_heads, setting.streams
    query = build.rope(view(build.project("indexer.attn_q_b", ranked), (size, heads, tokens)))
    key = build.norm("indexer.k_norm", build.project("indexer.attn_k", x), "layer")
    key = build.rope(view(key, (size, 1, tokens)))
    matrix = build.input("lid_rot", (size, size))
    query = node("mul_mat", (size, heads, tokens), matrix, query)
    key = node("mul_mat", (size, 1, tokens), matrix, key)
    build.graph.expand(store_keys(build, cached.number, key))
    weights = build.project("indexer.proj", x)
    query = view(query, (size, heads, tokens // streams, streams), "streams", query)
    weights = view(weights, (heads, tokens // streams, 1, streams), "streams", weights)
    weights = same("scale", weights)
    mask = build.input(
        ("mask", cached.number), (0, tokens // streams, 1, streams), 2, Size(0, 2 * tokens, cached.number)
    )
    extent, keys = (0, tokens // streams, 1, streams), cached_keys(build, cached)
    scores = sized("lightning_indexer", extent, Size(0, 4 * tokens, cached.number), query, keys, weights, mask)
    best = node("top_k", (setting.top_k, tokens // streams, 1, streams), scores)
    return same("cont", best)


def _only(build: Builder, cached: Cached, top_k: Tensor) -> Tensor:
    """A mask that lets only the chosen cells through: a filled copy, zeros set in it, the first mask added."""
    mask, tokens = build.mask(cached.number), build.setting.tokens
    filled = same("fill", mask)
    filled.size, filled.unit = mask.size, mask.unit
    zeros = given((1, build.setting.top_k, tokens))
    zeros.op = "leaf"
    zeros = same("fill", zeros)
    cells = view(filled, (1, 0, tokens), "cells", filled)
    chosen = Tensor(
        "set_rows", cells.extent, (zeros, view(top_k, top_k.extent, "3d", top_k), cells), filled.size, base=filled
    )
    back = view(chosen, mask.extent, "mask", filled)
    result = same("add", back, mask)
    result.size, result.unit = mask.size, mask.unit
    return result


def decompressed_attention(build: Builder, spec: LatentAttention, cached: Cached, x: Tensor, stretched: int) -> Tensor:
    heads, tokens = spec.num_heads, x.extent[1]
    nope, rotary, value = spec.qk_nope_head_dim, spec.qk_rope_head_dim, spec.value_head_dim
    ranked = _query_input(build, x)
    query = view(build.project("attn_q_b" if ranked is not x else "attn_q", ranked), (nope + rotary, heads, tokens))
    compressed = build.project("attn_kv_a_mqa", x)
    latent = view(compressed, (spec.kv_lora_rank, tokens), "latent", compressed)
    position = view(compressed, (rotary, 1, tokens), "rotary", compressed)
    latent = build.norm("attn_kv_a_norm", latent)
    both = build.project("attn_kv_b", latent)
    plain = view(both, (nope, heads, tokens), "plain", both)
    values = node("cont", (value, heads, tokens), view(both, (value, heads, tokens), "values", both))
    query = build.rope(query, stretched)
    position = build.rope(position, stretched)
    repeated = node("repeat", (rotary, heads, tokens), position)
    key = node("concat", (nope + rotary, heads, tokens), plain, repeated)
    return build.project("attn_output", attend(build, cached, query, key, values))
