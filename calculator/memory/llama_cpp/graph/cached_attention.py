"""Attention over a cache (`build_attn` and `build_attn_mha` in `src/llama-graph.cpp`): rotate, store, attend."""

from __future__ import annotations

from calculator.memory.llama_cpp.graph.builder import Builder, Cached
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor, cache, given, node, same, sized, view, written


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
    build.graph.expand(query)
    build.graph.expand(value)
    build.graph.expand(key)
    if key is not None:
        build.graph.expand(store_keys(build, number, key))
    if value is not None:
        build.graph.expand(_store_values(build, cached, value))
    result = mix(build, cached, query, capped=capped, mask=mask)
    return build.hadamard(result, ("v_rot", number), 64) if rotate_values else result


def store_keys(build: Builder, number: int, key: Tensor) -> Tensor:
    tokens = build.setting.tokens
    where = build.input(("k_idxs", number), (tokens,), unit=8)
    flat = view(key, (key.elements // tokens, tokens), *(() if key.contiguous else ("rows", key)))
    return _at_home(build, written(cache((1, 1)), flat, where))


def _at_home(build: Builder, stored: Tensor) -> Tensor:
    """The cache of a layer in RAM is written there."""
    stored.on_host = build.layer_in_ram
    return stored


def copied_cache(build: Builder, cached: Cached, seen_as_values: int = 0) -> tuple[Tensor, ...]:
    """Keys and values of a layer in RAM, as flash attention on the card reads them. `seen_as_values`: so many of
    the keys' elements are the values too, and are copied once more, row by row."""
    if not build.layer_in_ram:
        return ()
    streams = build.setting.streams
    keys = build.setting.key_bytes(cached.heads * cached.key_size)
    values = build.setting.value_bytes(cached.heads * cached.value_size)
    copies = [given((1,), size=Size(0, size * streams, cached.number)) for size in (keys, values) if size]
    if seen_as_values:
        rest = keys - build.setting.key_bytes(seen_as_values)
        copies.append(given((1,), size=Size(-rest, keys * streams, cached.number)))
    return tuple(copies)


def _store_values(build: Builder, cached: Cached, value: Tensor) -> Tensor:
    tokens, width = build.setting.tokens, value.elements // build.setting.tokens
    flat = (width, tokens)
    if not build.setting.transposed:
        where = build.input(("v_idxs", cached.number), (tokens,), unit=8)
        stored = view(value, flat, *(() if value.contiguous else ("rows", value)))
        return _at_home(build, written(cache((1, 1)), stored, where))
    widest = max(cached.widest, width)
    where = build.input(("v_idxs", cached.number), (tokens * widest,), unit=8)
    stored = view(value, flat) if value.contiguous else node("cont", flat, value)
    if width < widest:
        stored = node("pad", (widest, tokens), stored)
    return _at_home(build, written(cache((1, 1)), view(stored, (1, widest * tokens)), where))


def mix(build: Builder, cached: Cached, query: Tensor, *, capped: bool = False, mask: Tensor | None = None) -> Tensor:
    """`build_attn_mha`. Flash attention works on F16 copies behind its result (`fattn-common.cuh`)."""
    setting, number = build.setting, cached.number
    tokens, streams, heads = setting.tokens, setting.streams, query.extent[1]
    if setting.in_ram:
        return _attend_in_ram(build, query, (cached.value_size * heads, tokens))
    mask = mask or build.mask(number)
    values = cached.value_size or cached.key_size
    query = view(query, (query.extent[0], heads, tokens // streams, streams), "streams", query)
    query = view(query, (query.extent[0], tokens // streams, heads, streams), "permuted", query)
    if setting.flash:
        fixed = 4 * values * heads * tokens
        copied = setting.keys_copied * cached.key_size + (
            setting.values_copied * cached.value_size if cached.value_size else 0
        )
        size = Size(fixed, 2 * copied * cached.heads * streams, number)
        extent = (values, heads, tokens // streams, streams)
        sources = (*copied_cache(build, cached), *_cast(build, cached))
        result = sized("flash_attn", extent, size, query, *sources, mask)
        result = view(result, (values * heads, tokens))
    else:
        scores = sized("mul_mat", (0, tokens // streams, heads, streams), Size(0, 4 * heads * tokens, number), query)
        if capped:
            for operation in ("scale", "unary", "scale"):
                scores = same(operation, scores)
                scores.size = scores.sources[0].size
        scores = same("soft_max", scores, mask)
        stored = () if setting.transposed else (_turned(build, cached, values),)
        mixed = node("mul_mat", (values, tokens // streams, heads, streams), *stored, scores)
        result = node("cont", (values * heads, tokens), view(mixed, (values, heads, tokens), "permuted", mixed))
    build.graph.expand(result)
    return result


def _turned(build: Builder, cached: Cached, values: int) -> Tensor:
    """Values stored by token are turned round: the cache was made before flash attention proved to be missing."""
    streams = build.setting.streams
    size = Size(0, 2 * values * cached.heads * streams, cached.number)
    return sized("cont", (0, values, cached.heads, streams), size, unit=2)


def _cast(build: Builder, cached: Cached) -> list[Tensor]:
    """F32 keys and values are turned into F16 by nodes of their own."""
    setting, streams = build.setting, build.setting.streams
    pairs = ((setting.key_type, cached.key_size), (setting.value_type, cached.value_size))
    extent = (0, cached.heads, 1, streams)
    return [
        sized("cpy", extent, Size(0, 2 * size * cached.heads * streams, cached.number), unit=2)
        for kind, size in pairs
        if kind == "F32" and size
    ]


def _attend_in_ram(build: Builder, query: Tensor, extent: tuple[int, ...]) -> Tensor:
    away = Tensor("flash_attn", (1, 1, 1, 1), (query,), Size(0))
    away.on_host = True
    build.graph.expand(away)
    return given(extent)
