"""Attention over a cache (`build_attn` and `build_attn_mha` in `src/llama-graph.cpp`): rotate, store, attend."""

from __future__ import annotations

from calculator.memory.llama_cpp.graph.builder import Builder, Cached
from calculator.memory.llama_cpp.graph.flash_size import flash_size
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor, cache, node, same, sized, view, written

KEYS, VALUES = 0, 1


def attend(
    build: Builder,
    cached: Cached,
    query: Tensor,
    key: Tensor | None,
    value: Tensor | None,
    *,
    capped: bool = False,
    mask: Tensor | None = None,
) -> Tensor:
    """`build_attn`: rotate, store, attend. (values x heads, tokens)."""
    setting, number = build.setting, cached.number
    rotated = 64
    while cached.key_size % (2 * rotated) == 0:
        rotated *= 2
    rotate_keys = setting.keys_rotated and cached.key_size % 64 == 0
    rotate_values = setting.values_rotated and cached.value_size % 64 == 0
    if rotate_keys:
        query = build.hadamard(query, ("k_rot", number), rotated)
        key = key and build.hadamard(key, ("k_rot", number), rotated)
    if rotate_values:
        value = value and build.hadamard(value, ("v_rot", number), 64)
    for tensor in (query, key, value) if build.keeps_windows else (query, value, key):
        build.graph.expand(tensor)
    if key is not None:
        build.graph.expand(store_keys(build, number, key))
    if value is not None:
        build.graph.expand(_store_values(build, cached, value))
    result = mix(build, cached, query, capped=capped, mask=mask)
    return build.hadamard(result, ("v_rot", number), 64) if rotate_values else result


def store_keys(build: Builder, number: int, key: Tensor) -> Tensor:
    tokens = build.setting.tokens
    where = build.input(("k_idxs", number), (tokens,), unit=8)
    flat = view(key, (key.elements // tokens, tokens), "rows", key)
    return written(cache(build.cache_place, store=build.store("kv", KEYS, number)), flat, where)


def cached_keys(build: Builder, cached: Cached) -> Tensor:
    """All keys of a layer, as attention reads them."""
    row = build.setting.key_bytes(cached.heads * cached.key_size)
    return _cells(build, cached, KEYS, 0, row)


def cached_values(build: Builder, cached: Cached) -> Tensor:
    row = build.setting.value_bytes(cached.heads * cached.value_size)
    return _cells(build, cached, VALUES, 0, row)


def keys_seen_as_values(build: Builder, cached: Cached, size: int) -> Tensor:
    """The first `size` elements of every row of keys: copied row by row, all but the end of the last."""
    row = build.setting.key_bytes(cached.heads * cached.key_size)
    rest = row - build.setting.key_bytes(size)
    return _cells(build, cached, KEYS, -rest, row)


def _cells(build: Builder, cached: Cached, which: int, rest: int, row: int) -> Tensor:
    size = Size(rest, row * build.setting.streams, cached.number)
    return cache(build.cache_place, size, build.store("kv", which, cached.number))


def _store_values(build: Builder, cached: Cached, value: Tensor) -> Tensor:
    tokens, width = build.setting.tokens, value.elements // build.setting.tokens
    flat, kept = (width, tokens), cache(build.cache_place, store=build.store("kv", VALUES, cached.number))
    if not build.setting.transposed:
        where = build.input(("v_idxs", cached.number), (tokens,), unit=8)
        stored = view(value, flat, "rows", value)
        return written(kept, stored, where)
    widest = max(cached.widest, width)
    where = build.input(("v_idxs", cached.number), (tokens * widest,), unit=8)
    stored = view(value, flat) if value.contiguous else node("cont", flat, value)
    if width < widest:
        stored = node("pad", (widest, tokens), stored)
    return written(kept, view(stored, (1, widest * tokens)), where)


def mix(build: Builder, cached: Cached, query: Tensor, *, capped: bool = False, mask: Tensor | None = None) -> Tensor:
    """`build_attn_mha`. Flash attention works on F16 copies behind its result (`fattn-common.cuh`)."""
    setting, number = build.setting, cached.number
    tokens, streams, heads = setting.tokens, setting.streams, query.extent[1]
    mask = mask or build.mask(number)
    values = cached.value_size or cached.key_size
    query = view(query, (query.extent[0], heads, tokens // streams, streams), "streams", query)
    query = view(query, (query.extent[0], tokens // streams, heads, streams), "permuted", query)
    sinks = (build.vector(heads),) if "attn_sinks" in build.roles or "attn_sinks" in build.biases else ()
    if setting.flash:
        fixed = 4 * values * heads * tokens
        extent = (values, heads, tokens // streams, streams)
        read = _as_f16(build, cached)
        result = Tensor(
            "flash_attn_in_ram" if setting.in_ram else "flash_attn", extent, (query, *read, mask, *sinks), Size(fixed)
        )
        result.card_size = flash_size(setting, cached, Size(fixed, 0, number), heads, values)
        build.attended.append((result, build.place))
        result = view(result, (values * heads, tokens))
    else:
        extent = (0, tokens // streams, heads, streams)
        scores = sized("mul_mat", extent, Size(0, 4 * heads * tokens, number), cached_keys(build, cached), query)
        if capped:
            for operation in ("scale", "unary", "scale"):
                scores = same(operation, scores)
                scores.size = scores.sources[0].size
        scores = same("soft_max", scores, mask, *sinks)
        stored = cached_values(build, cached) if setting.transposed else _turned(build, cached, values)
        mixed = node("mul_mat", (values, tokens // streams, heads, streams), stored, scores)
        result = node("cont", (values * heads, tokens), view(mixed, (values, heads, tokens), "permuted", mixed))
    build.graph.expand(result)
    return result


def _turned(build: Builder, cached: Cached, values: int) -> Tensor:
    """Values stored by token are turned round: the cache was made before flash attention proved to be missing."""
    streams = build.setting.streams
    size = Size(0, 2 * values * cached.heads * streams, cached.number)
    return sized("cont", (0, values, cached.heads, streams), size, cached_values(build, cached), unit=2)


def _as_f16(build: Builder, cached: Cached) -> list[Tensor]:
    """Keys and values as they are stored; F32 is turned into F16 by nodes of their own."""
    setting, streams = build.setting, build.setting.streams
    stored = [(setting.key_type, cached.key_size, cached_keys(build, cached))]
    if cached.value_size:
        stored.append((setting.value_type, cached.value_size, cached_values(build, cached)))
    extent = (0, cached.heads, 1, streams)
    return [
        sized("cpy", extent, Size(0, 2 * size * cached.heads * streams, cached.number), source, unit=2)
        if kind == "F32"
        else source
        for kind, size, source in stored
    ]
