"""What vLLM 0.33.0 holds of a model beyond its file: tables of angles, vectors, zero points; which cards run it."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import read_config
from calculator.architecture.shape import CompressedAttention, FullAttention, Indexer, Shape, StateSpace
from calculator.hardware import from_specification
from calculator.hardware.engines import engine_named
from calculator.hardware.engines.vllm import SPARSE
from calculator.memory import Workload, estimate
from calculator.memory.checkpoint import FORMATS
from calculator.memory.tensors import TensorGroup
from calculator.memory.vllm.buffers import tower_bytes
from calculator.memory.vllm.cache import pool
from calculator.memory.vllm.compressed import compressed_specs
from calculator.memory.vllm.serving import Serving
from calculator.memory.vllm.split import price
from calculator.memory.workload import Term
from tests.calculator.memory.shapes import catalogued, catalogued_config, made_of, tiny_llama


def test_complex_numbers_for_every_patch_of_llama_4() -> None:
    """`Llama4VisionRotaryEmbedding._compute_cos_sin_cache`: (336 / 14)^2 patches and one for the class; `freqs` has 22
    frequencies twice each along both axes, every second of them is taken, and a complex number is two floats."""
    assert tower_bytes(catalogued("meta/llama-4-scout-instruct")) == (24 * 24 + 1) * (22 * 2 * 2 // 2) * 2 * 4


@pytest.mark.parametrize(
    ("scaling", "positions"),
    [({"type": "mrope", "mrope_section": [16, 24, 24]}, 4 * 128_000), ({"type": "default"}, 128_000)],
)
def test_positions_of_images_run_four_times_as_far(scaling: dict[str, object], positions: int) -> None:
    """`layers/rotary_embedding/mrope.py`, `cache_max_position_num`, where a head is shared out between axes:
    Qwen2.5-VL has 128,000 positions and heads of 128."""
    shape = read_config({**catalogued_config("qwen/qwen2-5-vl-7b-instruct"), "rope_scaling": scaling})
    (table,) = _terms(shape, "rotary_table")
    assert (table.values["positions"], table.bytes) == (positions, positions * 128 * 2)


@pytest.mark.parametrize("ranks", [1, 2])
def test_factors_of_a_projection_lie_in_a_vector(ranks: int) -> None:
    """`FalconH1SSMDecoderLayer._init_mup_vector`: 2 x 3,072 + 2 x 1 x 256 + 24 over the ranks, in each of 44 layers."""
    (vectors,) = _terms(catalogued("tii/falcon-h1-7b-instruct"), "unit_norms", tensor_parallel=ranks)
    assert vectors.bytes // ranks == pytest.approx(44 * (2 * 3_072 + 2 * 256 + 24) // ranks * 2, abs=44 * 2 * 512)


def _terms(shape: Shape, key: str, **asked: Any) -> list[Term]:
    answer = estimate(shape, Workload(engine="vllm", **asked))
    return [term for term in answer.part("weights").terms if term.key == key]


ZERO_POINTS = [
    # the format, the tensor, the card, and bytes for each of 4 groups x 256 rows: scales in 16 bits and zero points
    ("AWQ", "attn_q", (9, 0), 2 + 2),  # `machete.py`: `transform_w_zp` scales them, in 16 bits
    ("AWQ", "attn_q", (8, 0), 2.5),  # Marlin: four bits
    ("AWQ", "attn_q", (10, 0), 2.5),
    ("GPTQ", "attn_q", (9, 0), 2.5),  # `auto_gptq.py` registers `qzeros`, which Machete leaves
    ("GPTQ", "attn_q", (8, 0), 2),  # and `marlin.py` replaces by an empty tensor
    ("GPTQ", "attn_q", (12, 0), 2),
    ("AWQ", "ffn_gate_exps", (9, 0), 2.5),  # `AutoAWQMoEMethod`: Marlin on every card
    ("AWQ", "ffn_gate_exps", (8, 0), 2.5),
    ("GPTQ", "ffn_gate_exps", (9, 0), 2.5),  # `AutoGPTQMoEMethod`, `w13_qzeros`
    ("GPTQ", "ffn_gate_exps", (8, 0), 2.5),
    ("INT4", "attn_q", (9, 0), 8),  # compressed-tensors, symmetric, groups of 32
    ("INT4", "attn_q", (8, 0), 8),
]


@pytest.mark.parametrize(("name", "role", "capability", "beside"), ZERO_POINTS)
def test_zero_points_follow_the_kernel(name: str, role: str, capability: tuple[int, int], beside: float) -> None:
    experts = (3,) if role.endswith("exps") else ()
    group = TensorGroup(role, (*experts, 256, 512), name, "weight", "text", 1, 1, (0,))
    size, held_in = price(tiny_llama(), group, FORMATS[name], 1, capability)
    assert held_in == name
    assert size == (3 if experts else 1) * (256 * 512 // 2 + 4 * 256 * beside)


@pytest.mark.parametrize(
    ("capability", "runs"),
    [("8.0", False), ("8.9", False), ("9.0", True), ("10.0", True), ("11.0", False), ("12.0", True)],
)
def test_sparse_attention_runs_where_a_back_end_does(capability: str, runs: bool) -> None:
    """`supports_compute_capability` of `v1/attention/backends/mla/`: `flashmla_sparse.py` (9, 10) and
    `flashinfer_mla_sparse.py` (10; 12)."""
    card = from_specification(
        slug="card",
        name="Card",
        vendor="nvidia",
        segment="datacenter",
        memory_gb=80,
        compute_capability=capability,
    )
    assert [reason.blocks for reason in engine_named("vllm").needs_reasons(card, frozenset({SPARSE}))] == [True] * (
        not runs
    )


def test_pages_of_a_compressed_layer_by_hand() -> None:
    """DeepSeek-V4, whose indexer here has a head of 256 (128 and 129 fill the same pages): pages are filled up to 576.

    `sparse_swa.py`: 64 tokens of 584 bytes. `attention.py`: 256 / 4 of 584, and of 256 + 256 / 128 x 4 for the indexer.
    `compressor.py`: blocks of 4 tokens of keys and scores, two spans of 4, in f32.
    """
    indexer = Indexer(num_heads=64, head_dim=256, top_k=512)
    made = made_of(CompressedAttention(num_heads=64, head_dim=512, window=128, compression=4, indexer=indexer))
    specs = [(spec.kind, spec.page_bytes, spec.block_tokens, spec.reach) for _, spec in compressed_specs(made, False)]
    assert specs == [
        ("sliding", -(-64 * 584 // 576) * 576, 64, 128),
        ("full", -(-64 * 584 // 576) * 576, 256, 0),
        ("sliding", -(-4 * 2 * 2 * 512 * 4 // 576) * 576, 4, 8),
        ("full", -(-64 * 264 // 576) * 576, 256, 0),
        ("sliding", -(-4 * 2 * 2 * 256 * 4 // 576) * 576, 4, 8),
    ]


def test_a_window_alone_is_one_group() -> None:
    """`_get_packed_kv_cache_groups`: nothing to be balanced with."""
    blocks = pool(made_of(*[CompressedAttention(num_heads=64, head_dim=512, window=128)] * 3), Serving("fp8", 1))
    assert [group.layers for group in blocks.groups] == [(0, 1, 2)]


def test_cards_hold_what_the_parts_add_up_to() -> None:
    """Cache and state of a hybrid, over two stages of two ranks."""
    state = StateSpace(version=2, inner_size=256, state_size=16, num_heads=4, head_dim=64, conv_kernel=4, num_groups=1)
    attention = FullAttention(num_heads=4, num_kv_heads=2, head_dim=32, value_head_dim=32)
    shape = made_of(state, state, attention, attention)
    answer = estimate(shape, Workload(engine="vllm", pipeline_parallel=2, context_tokens=1024))
    for part in ("kv_cache", "state"):
        assert sum(card[part] for card in answer.cards) == answer.part(part).bytes > 0
