"""What single functions of llama.cpp's back ends answer: rules that no buffer in `llama_back_ends.jsonl` depends on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from calculator.memory.llama_cpp.graph import fusion, metal, vulkan
from calculator.memory.llama_cpp.graph.back_ends import BACK_ENDS
from calculator.memory.llama_cpp.graph.builder import Cached, Setting
from calculator.memory.llama_cpp.graph.flash_size import flash_size
from calculator.memory.llama_cpp.graph.placing import placed
from calculator.memory.llama_cpp.graph.tensors import (
    NOTHING,
    Graph,
    Size,
    Tensor,
    cache,
    given,
    node,
    same,
    sized,
    view,
    written,
)

CARD, RAM = 0, 1


def weight(place: int = CARD) -> Tensor:
    return Tensor("weight", (1, 1, 1, 1), (), NOTHING, outside=True, place=place)


def uses(nodes: Sequence[Tensor]) -> Counter[Tensor]:
    return Counter(source for tensor in nodes for source in tensor.sources)


@pytest.mark.parametrize(
    ("back_end", "op", "offloads"),
    [
        ("metal", "mul_mat", True),
        ("metal", "mul_mat_id", True),
        ("metal", "add", False),
        ("metal", "mul", False),
        ("vulkan", "mul_mat", True),
        ("vulkan", "mul_mat_id", True),
        ("vulkan", "add", True),
        ("vulkan", "mul", True),
    ],
)
def test_what_is_worth_copying_a_weight_for(back_end: str, op: str, offloads: bool) -> None:
    """`ggml_backend_metal_device_offload_op` (`ggml-metal.cpp`) names two operations,
    `ggml_backend_vk_device_offload_op` (`ggml-vulkan.cpp`) none; both ask for a batch beside."""
    assert BACK_ENDS[back_end].offloads(node(op, (8, 64), weight(RAM), given((8, 64)))) is offloads


@pytest.mark.parametrize(
    ("back_end", "tokens", "places"),
    [
        ("metal", 32, [CARD, RAM]),
        ("vulkan", 32, [CARD, CARD]),
        ("metal", 31, [RAM, RAM]),
        ("vulkan", 31, [RAM, RAM]),
    ],
)
def test_where_a_layer_in_ram_runs(back_end: str, tokens: int, places: list[int]) -> None:
    """A projection and its bias, both in RAM, with nothing after them. `ggml_backend_sched_backend_id_from_cur`
    (`ggml-backend.cpp`) asks the card's `offload_op`, which wants 32 tokens (`op_offload_min_batch_size`)."""
    product = node("mul_mat", (8, tokens), weight(RAM), given((8, tokens)))
    graph = Graph()
    graph.expand(same("add", product, weight(RAM)))
    found = placed(graph.nodes, graph.leaves, RAM, (), BACK_ENDS[back_end])
    assert [found[tensor] for tensor in graph.nodes] == places


@pytest.mark.parametrize(
    ("back_end", "size", "heads", "lacks"),
    [
        ("metal", 128, 64, False),  # DeepSeek-V3.2
        ("metal", 128, 32, True),  # GLM-5
        ("metal", 64, 64, True),
        ("vulkan", 128, 64, False),
        ("vulkan", 128, 32, False),
        ("vulkan", 64, 64, True),
    ],
)
def test_which_indexers_have_a_kernel(back_end: str, size: int, heads: int, lacks: bool) -> None:
    """`GGML_OP_LIGHTNING_INDEXER` in `ggml_metal_device_supports_op` (`ggml-metal-device.m`; `OP_LIGHTNING_INDEXER_DK`
    and `_NH` in `ggml-metal-impl.h`) and in `ggml_backend_vk_device_supports_op` (`ggml-vulkan.cpp`)."""
    scores = sized("lightning_indexer", (0, 4), Size(0, 16), given((size, heads, 4)))
    assert BACK_ENDS[back_end].lacks(scores) is lacks


def test_metal_sorts_behind_the_result() -> None:
    """`ggml_backend_metal_buffer_type_get_alloc_size` (`ggml-metal.cpp`): `res *= 2` for `GGML_OP_ARGSORT`, and for
    `GGML_OP_TOP_K` two numbers of 32 bits for each that is read, here 4 tokens with every cell."""
    scores = sized("lightning_indexer", (0, 4), Size(0, 4 * 4, 3))
    assert metal.size(node("top_k", (2, 4), scores)) == Size(0, 2 * 4 * 4, 3)
    assert metal.size(node("argsort", (64, 4), given((64, 4)))) == Size(2 * 4 * 64 * 4)


@pytest.mark.parametrize(
    ("tokens", "streams", "head", "blocks"),
    [
        (64, 4, 128, 2),  # 16 queries: a byte for each with 32 cells
        (2048, 4, 128, 4),  # 512 queries: a byte for 8 with 64 cells
        (512, 32, 128, 16),
        (512, 32, 80, 1),  # heads not in steps of 32: never the kernel for few queries
    ],
)
def test_metal_marks_blocks_of_the_mask(tokens: int, streams: int, head: int, blocks: int) -> None:
    """Bytes a cell, beside keys and values in F16 (`ggml_metal_op_flash_attn_ext_extra_blk`,
    `ggml_metal_op_flash_attn_ext_use_vec` in `ggml-metal-ops.cpp`; `OP_FLASH_ATTN_EXT_*` in `ggml-metal-impl.h`)."""
    setting = Setting(
        tokens=tokens,
        sequences=streams,
        streams=streams,
        flash=True,
        in_ram=False,
        transposed=False,
        keys_copied=False,
        values_copied=False,
        keys_rotated=False,
        values_rotated=False,
        outputs=streams,
        back_end="metal",
    )
    cached = Cached(number=0, heads=8, key_size=head, value_size=head)
    assert flash_size(setting, cached, Size(0), 32, head).per_cell == 2 * 8 * streams * (head + head) + blocks


def test_metal_fuses_a_convolution_with_what_follows() -> None:
    """`ops_ssm_conv_silu` in `ggml-metal-fusion.cpp`; not where anything else reads the convolution
    (`ggml_can_fuse_subgraph_ext`)."""
    joined = node("concat", (8, 4), given((8, 4)))
    convolved = node("ssm_conv", (8, 4), joined, weight())
    active = same("unary", convolved)
    nodes = [joined, convolved, active]
    assert fusion.packed(nodes, 1, uses(nodes)) == 2
    assert fusion.packed(nodes, 1, uses(nodes) + Counter([convolved])) == 1
    fusion.keep_inputs(nodes)
    assert joined in active.kept


def test_metal_writes_new_states_from_the_delta_rule() -> None:
    """`ops_gdn_cache` in `ggml-metal-fusion.cpp`. The view of the states (`build_recurrent_attn` in
    `src/models/delta-net-base.cpp`) lies between, so that nothing is kept for it (`match_raw_pattern` counts views)."""
    x = node("mul_mat", (8, 4), weight(), given((8, 4)))
    fused = node("gated_delta_net", (8, 12), x)
    saved = written(cache(CARD), view(fused, (8, 8), "block", fused))
    nodes = [x, fused, saved.sources[0], saved]
    assert fusion.packed(nodes, 1, uses(nodes)) == 3
    fusion.keep_inputs(nodes)
    assert saved.kept == ()


@pytest.mark.parametrize(("adds", "length"), [(13, 16), (14, 14)])
def test_metal_packs_16_operations_at_most(adds: int, length: int) -> None:
    """`ggml_metal_fusion_max` looks at `GGML_METAL_FUSION_MAX` operations, and `ggml_metal_fusion_next` leaves out a
    pattern that ends behind them: after 14 additions there is no room for the 3 that weigh and add 3 experts."""
    x = node("mul_mat", (8, 4), weight(), given((8, 4)))
    nodes = []
    for _ in range(adds):
        x = same("add", x, weight())
        nodes.append(x)
    weighed = node("mul", (8, 3, 4), given((8, 3, 4)), given((1, 3, 4)))
    first, second, third = (view(weighed, (8, 4), "expert", number) for number in range(3))
    total = same("add", first, second)
    nodes += [weighed, first, second, third, total, same("add", total, third)]
    assert fusion.packed(nodes, 0, uses(nodes)) == length


@pytest.mark.parametrize("scaled", [False, True])
def test_vulkan_keeps_what_routing_reads(scaled: bool) -> None:
    """`keep_topk_moe_pattern` in `ggml_vk_graph_optimize`: until a scaling that follows, too."""
    logits = node("mul_mat", (16, 4), weight(), given((8, 4)))
    likely = same("soft_max", logits)
    shaped = view(likely, (1, 16, 4))
    order = node("argsort", (16, 4), likely)
    best = view(order, (2, 4), "first", 2)
    chosen = node("get_rows", (1, 2, 4), shaped, best)
    last = same("scale", chosen) if scaled else chosen
    nodes = [logits, likely, shaped, order, best, chosen, *([last] if scaled else [])]
    vulkan.reordered(nodes, uses(nodes))
    assert [tensor for tensor in nodes if logits in tensor.kept] == [last]


@pytest.mark.parametrize(("op", "order"), [("add", [0, 1, 2]), ("mul", [0, 2, 1])])
def test_vulkan_moves_no_view_behind_a_sum(op: str, order: list[int]) -> None:
    """The second pass of `ggml_vk_graph_optimize` moves views ahead, but "don't split up add->rms_norm"."""
    first = same(op, given((8, 4)), weight())
    nodes = [first, same("rms_norm", first), view(given((8, 4)), (8, 2), "half")]
    assert vulkan.reordered(nodes, uses(nodes)) == [nodes[index] for index in order]
