"""Tables and buffers that vLLM makes while it builds a model; they lie among the weights.

Sources (vLLM 0.33.0): `model_executor/layers/rotary_embedding/` (cos and sin for every position, `get_rope` keeps one
table for all layers that ask alike), `models/deepseek_v32` and `models/deepseek_v4` (a second table for the indexer or
for compressed positions; `topk_indices_buffer`), `models/qwen3_vl.py` (`mrope_positions_factor`),
`models/gemma4_mm.py` and `gemma3n_mm.py` (`per_layer_embeddings`), `models/falcon_h1.py` (`mup_vector`).
"""

from __future__ import annotations

from calculator.architecture.shape import CompressedAttention, Experts, Indexer, LatentAttention, RotaryTable, Shape
from calculator.memory.checkpoint import WIDE_BYTES
from calculator.memory.rank_weights import Added
from calculator.memory.tensor_parallel import rank_shape
from calculator.memory.tensors import tensor_groups
from calculator.memory.vllm.layers import needs_sparse_attention
from calculator.memory.vllm.registry import by_transformers
from calculator.memory.workload import Term

F32_BYTES, INDEX_BYTES, COMPLEX_BYTES = 4, 4, 8
AXES_FACTOR = 4  # positions of images run ahead of tokens: `mrope.py`
AXES_IN_LINE = ("qwen3", "qwen4")  # model types whose positions never do, unless frames of a film are left out
WIDE_TABLES = frozenset({"gpt_oss"})
ONE_TABLE = frozenset({"hy_v4"})
"""Model types whose indexer pairs numbers as the heads do, so that `get_rope` gives both the same table."""
TOWER_POSITIONS = 8192
TOWERS_WITH_TABLE = frozenset(
    {
        *("exaone4_5", "glm46v", "glm4v", "glm4v_moe", "glm_ocr", "qwen2_5_vl", "qwen2_vl"),
        *("qwen3_5", "qwen3_5_moe", "qwen3_vl", "qwen3_vl_moe"),
    }
)
"""Model types of files whose encoder rotates half of a head by `get_rope`, for positions up to `TOWER_POSITIONS`."""


Buffer = tuple[str, dict[str, int | str], int]
"""A term's key and values, and its bytes on one rank."""


def buffers(shape: Shape, parts: tuple[range, ...], ranks: int, batched_tokens: int) -> Added:
    """Each a term over all ranks, and the bytes of one rank of each stage."""
    stages = len(parts)
    found: list[Buffer] = [*_tables(shape, ranks * stages)]
    chosen = max((indexer.top_k for indexer in _indexers(shape)), default=0)
    if chosen:
        values: dict[str, int | str] = {"tokens": batched_tokens, "chosen": chosen, "copies": ranks * stages}
        found.append(("chosen_tokens", values, batched_tokens * chosen * INDEX_BYTES))
    for name, size in (
        ("per_layer_inputs", _per_layer_inputs(shape, batched_tokens)),
        ("unit_norms", _ones(shape, ranks)),
    ):
        if size:
            found.append((name, {"copies": ranks * stages}, size))
    return tuple((Term(key, values, size * ranks * stages), [size] * stages) for key, values, size in found)


def _tables(shape: Shape, copies: int) -> list[Buffer]:
    if by_transformers(shape):
        return []  # layers of transformers compute the angles anew
    found: list[Buffer] = []
    for table in shape.rotary:
        factor = AXES_FACTOR if table.axes and not shape.model_type.startswith(AXES_IN_LINE) else 1
        width = _table_bytes(shape, table)
        size = table.positions * factor * table.dimensions * width
        values: dict[str, int | str] = {"positions": table.positions * factor, "dimensions": table.dimensions}
        values |= {"bytes": width, "copies": copies}
        found += [("rotary_table", values, size)] * _copies(shape)
    return found


def _copies(shape: Shape) -> int:
    """Tables of one size: the indexer's own, unless it pairs numbers as the heads do; and of compressed positions."""
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    kinds = {mixer.compression is None for mixer in mixers if isinstance(mixer, CompressedAttention)}
    if kinds:
        return len(kinds)
    in_pairs = shape.indexer_in_pairs or shape.model_type in ONE_TABLE
    return 2 if needs_sparse_attention(shape) and not in_pairs else 1


def _table_bytes(shape: Shape, table: RotaryTable) -> int:
    """In the model's dtype, or f32 where the layer asks for it."""
    wide = shape.model_type in WIDE_TABLES or (table.stretched and needs_sparse_attention(shape))
    return F32_BYTES if wide else WIDE_BYTES


def _indexers(shape: Shape) -> list[Indexer]:
    mixers = (mixer for layer in shape.layers for mixer in layer.mixers)
    return [
        mixer.indexer
        for mixer in mixers
        if isinstance(mixer, LatentAttention | CompressedAttention) and mixer.indexer is not None
    ]


def _per_layer_inputs(shape: Shape, batched_tokens: int) -> int:
    """Gemma's small models read an embedding in every layer; those of a step are kept ready beside images."""
    widths = (tensor.shape[-1] for tensor in shape.tensors_of("text") if tensor.role == "per_layer_token_embd")
    wrapped = shape.file_type != shape.model_type
    return batched_tokens * next(widths, 0) * WIDE_BYTES if wrapped else 0


def _ones(shape: Shape, ranks: int) -> int:
    """Norms without a weight hold ones: Gemma 4's of values, and before its router. Falcon-H1's factors of a projection
    lie in a vector of its width."""
    if shape.model_type == "falcon_h1":
        rows = [
            rank_shape(group, ranks)[0] * len(group.layers) for group in tensor_groups(shape) if group.role == "ssm_in"
        ]
        return sum(rows) * WIDE_BYTES
    if not shape.model_type.startswith("gemma4"):
        return 0
    routed = sum(isinstance(layer.feed_forward, Experts) for layer in shape.layers)
    return routed * shape.hidden_size * WIDE_BYTES


def tower_bytes(shape: Shape) -> int:
    """The encoder's own table, whole on every rank."""
    width = next((group.columns for group in tensor_groups(shape) if group.role in ("v.attn_qkv", "v.attn_q")), 0)
    if not shape.tower_heads or not width:
        return 0
    half = width // shape.tower_heads // 2
    if shape.file_type in TOWERS_WITH_TABLE:
        return TOWER_POSITIONS * half * WIDE_BYTES
    if shape.file_type == "llama4":  # `Llama4VisionRotaryEmbedding`: complex numbers for every patch
        patches = next((group.rows for group in tensor_groups(shape) if group.role == "v.position_embd"), 0)
        return patches * half * COMPLEX_BYTES
    return 0
