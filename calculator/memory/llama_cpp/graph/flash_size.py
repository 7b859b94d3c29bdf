"""What fused attention takes on a card: kernels work behind its result."""

from __future__ import annotations

from calculator.memory.llama_cpp.graph.builder import Cached, Setting
from calculator.memory.llama_cpp.graph.tensors import Size

CHUNK = 64  # cells: `OP_FLASH_ATTN_EXT_NCPSG` in `ggml-metal-impl.h`
QUERIES = 8  # `OP_FLASH_ATTN_EXT_NQPSG`
SMALL_CHUNK, FEW_QUERIES = 32, 20  # of the kernel for few queries (`ggml_metal_op_flash_attn_ext_use_vec`)
GROUPS, PARTS = 32, 32  # `nwg` and the most queries of which each group keeps a part
TURNED_FROM = 32  # queries from which on a quantised cache is turned into F16 (`use_kv_f16`)


def flash_size(setting: Setting, cached: Cached, result: Size, heads: int, values: int) -> Size:
    """`values` are those of one head; a latent cache has no values of its own, they are part of its keys."""
    if setting.back_end == "metal":
        return _metal(setting, cached, result, heads, values)
    copied = setting.keys_copied * cached.key_size + setting.values_copied * cached.value_size
    return Size(result.fixed, 2 * copied * cached.heads * setting.streams, cached.number)


def _metal(setting: Setting, cached: Cached, result: Size, heads: int, values: int) -> Size:
    """`ggml_metal_op_flash_attn_ext_extra_*` in `ggml-metal-ops.cpp`: room for the last chunk of keys, values and mask,
    one byte for every block of the mask, parts of the result, and keys and values of the layer in F16, whatever they
    are stored in."""
    queries, streams, kv_heads = setting.tokens // setting.streams, setting.streams, cached.heads
    of_keys, of_values = _strides(setting, cached, queries, values)
    chunk = CHUNK * (streams * kv_heads * (of_keys + of_values) + 2 * queries * streams)
    parts = 4 * min(queries, PARTS) * heads * streams * GROUPS * (values + 2)
    few = queries < FEW_QUERIES and cached.key_size % 32 == 0
    blocks = queries * streams if few else -(-queries // QUERIES) * streams
    per_cell = 2 * kv_heads * streams * (cached.key_size + cached.value_size)
    per_cell += -(-blocks // (SMALL_CHUNK if few else CHUNK))
    return Size(result.fixed + chunk + parts, per_cell, cached.number)


def _strides(setting: Setting, cached: Cached, queries: int, values: int) -> tuple[int, int]:
    """Bytes from one cell's keys and values to the next one's, as the kernel reads them."""
    if queries >= TURNED_FROM and setting.key_type not in ("F16", "BF16", "F32"):
        return 2 * cached.key_size, 2 * (cached.value_size or cached.key_size)
    of_keys = setting.key_bytes(cached.heads * cached.key_size)
    return of_keys, setting.value_bytes(cached.heads * cached.value_size) if cached.value_size else of_keys
