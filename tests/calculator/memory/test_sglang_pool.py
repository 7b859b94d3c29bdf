"""SGLang's pools of tokens and states, against what its servers printed in public and against its own planner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calculator.accuracy.references import reference_lines, reference_shape
from calculator.architecture import Shape
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from calculator.memory.sglang.layers import Layout
from calculator.memory.sglang.pool import Needed, pool
from tests.calculator.memory.shapes import catalogued, server_prints

GIB = 2**30


def rank_bytes(shape: Shape, layout: Layout, needed: Needed, part: str) -> float:
    """GiB that one rank holds of the cache or the states."""
    cached, states = pool(shape, layout).held(needed, (range(shape.num_layers),), layout.ranks)
    (held,) = (cached if part == "cache" else states).rank_bytes
    return held / GIB


# tokens or states -> GB (2^30) as printed; each line names its source. `calculator/reference/measured.jsonl` has more.
PRINTED = [
    # flashinfer-ai/flashinfer#5445, GLM-5.3-Flash: "#tokens: 341952, KV size: 2.26 GB", 4 ranks, SM120
    ("zhipu/glm-5-3-flash", Layout("fp8_e4m3", 4, (12, 0)), Needed(341_952, 0, 0), "cache", 2.26, 0.005),
    # sgl-project/sglang#15464, a build whose windows had as many tokens: "SWAKVPool mem usage: 77.63 GB", 4 ranks
    ("xiaomi/mimo-v2-flash", Layout("bf16", 4), Needed(1_496_958, 1_496_958, 0), "cache", 77.63, 0.005),
    # no address: Lfm2ForCausalLM, "#tokens: 473854, K size: 2.71 GB, V size: 2.71 GB", "max_mamba_cache_size: 85292,
    # conv_state size: 4.88GB, ssm_state size: 0.00GB"
    ("liquid/lfm2-700m", Layout("bf16", 1), Needed(473_854, 0, 0), "cache", 5.42, 0.01),
    ("liquid/lfm2-700m", Layout("bf16", 1), Needed(0, 0, 85_292), "state", 4.88, 0.01),
    # no address: BailingMoeV3ForCausalLM, "#tokens: 1226984, KV size: 9.21 GB", "max_mamba_cache_size: 117, conv_state
    # size: 0.28GB, ssm_state size: 8.07GB"
    ("inclusionai/ling-3-0-flash", Layout("bf16", 1), Needed(1_226_984, 0, 0), "cache", 9.21, 0.005),
    ("inclusionai/ling-3-0-flash", Layout("bf16", 1), Needed(0, 0, 117), "state", 8.35, 0.01),
    # no address, 8 x B300: "#tokens: 1167552, KV size: 15.03 GB", "max_mamba_cache_size: 257, conv_state size: 0.46GB,
    # ssm_state size: 13.04GB"
    ("moonshot/kimi-k3", Layout("fp8_e4m3", 8), Needed(1_167_552, 0, 0), "cache", 15.03, 0.005),
    ("moonshot/kimi-k3", Layout("fp8_e4m3", 8), Needed(0, 0, 257), "state", 13.50, 0.01),
]


@pytest.mark.parametrize(("slug", "layout", "needed", "part", "printed", "digits"), PRINTED)
def test_pools_as_printed(slug: str, layout: Layout, needed: Needed, part: str, printed: float, digits: float) -> None:
    assert rank_bytes(catalogued(slug), layout, needed, part) == pytest.approx(printed, abs=digits)


def test_windows_have_a_pool_of_four_fifths() -> None:
    """sgl-project/sglang#18039, MiMo-V2-Flash on 4 ranks: "full_layer_tokens=375360, swa_layer_tokens=300288".

    Its windowed layers: "#tokens: 300288, K size: 8.38 GB, V size: 5.59 GB".
    """
    kept = pool(catalogued("xiaomi/mimo-v2-flash"), Layout("bf16", 4))
    needed = kept.needed(Workload(engine="sglang", context_tokens=375_360), 8192)
    assert (needed.tokens, needed.window_tokens) == (375_360, 300_288)
    (window,) = {each.bytes for layer in kept.layers for each in layer if each.kind == "window"}
    layers = sum(each.kind == "window" for layer in kept.layers for each in layer)
    assert layers * window * 300_288 / GIB == pytest.approx(8.38 + 5.59, abs=0.01)


def test_a_page_more_than_is_handed_out() -> None:
    shape = reference_shape("llama-3-1-8b-instruct")
    answer = estimate(shape, Workload(engine="sglang", context_tokens=1000, sequences=3))
    assert answer.part("kv_cache").bytes == 3001 * 32 * 8 * (128 + 128) * 2


@pytest.mark.parametrize(
    ("slug", "slots"),
    [("qwen/qwen3-next-80b-a3b-instruct", 5), ("liquid/lfm2-1-2b", 3), ("tii/falcon-h1-34b-instruct", 5)],
)
def test_states_are_kept_for_the_prefix_cache_too(slug: str, slots: int) -> None:
    """`_calculate_mamba_ratio`: three for each sequence, two more where snapshots are taken in turns."""
    answer = estimate(catalogued(slug), Workload(engine="sglang", sequences=4))
    assert {term.values["slots"] for term in answer.part("state").terms} == {4 * slots + 1}


def test_sparse_latents_in_fp8_keep_scales_and_a_wide_rotary_part() -> None:
    """`calculate_mla_kv_cache_dim`: 512 + 512 / 128 * 4 + 64 * 2, and an indexer key of 128 + 4."""
    kept = pool(catalogued("deepseek/deepseek-v3-2"), Layout("fp8_e4m3", 8))
    assert kept.layers[0][0].bytes == 656 + 132
    assert kept.page_tokens == 64


def test_a_prediction_layer_of_sparse_latents_has_an_indexer() -> None:
    """GLM-5.2 (`_compute_dsa_indexer_cell_size`, `allocate_all_layers`), though layers like it have none."""
    kept = pool(reference_shape("glm-5-2"), Layout("bf16", 8, prediction=True))
    assert kept.layers[-1][0].bytes == 576 * 2 + 132
    assert len(kept.layers) == 79


@pytest.mark.parametrize(
    "slug",
    ["meta/llama-3-1-8b-instruct", "deepseek/deepseek-v3", "openai/gpt-oss-20b"],
)
@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_what_fits_into_a_pool_is_what_a_pool_needs(slug: str, ranks: int) -> None:
    """The tokens of a pool of some size need no more than that size, and one page more needs more."""
    shape, workload = catalogued(slug), Workload(engine="sglang", tensor_parallel=ranks)
    size = 20 * GIB
    tokens = server_prints(shape, workload, size).tokens
    kept = pool(shape, Layout("bf16", ranks))
    window = tokens * 4 // 5 if kept.windows else 0
    parts = (range(shape.num_layers),)
    held, _ = kept.held(Needed(tokens - 1, window - 1 if window else 0, 0), parts, ranks)
    assert held.rank_bytes[0] <= size
    more, _ = kept.held(Needed(tokens + 8, tokens * 4 // 5 + 8, 0), parts, ranks)
    assert more.rank_bytes[0] > size


@pytest.mark.parametrize("line", list(reference_lines("sglang.jsonl")), ids=lambda line: line["config"])
def test_pools_as_the_server_plans_them(line: dict[str, Any]) -> None:
    """`calculator/reference/sglang.jsonl`: what `model_executor/pool_configurator.py` (0.5.23) makes of 20 GiB."""
    shape, ranks = reference_shape(line["config"]), line["tensor_parallel"]
    kept = pool(shape, Layout(line["kv"], ranks, tuple(line["capability"])))
    assert kept.page_tokens == line["page"]
    held = kept.fitting(20 * GIB, (range(shape.num_layers),))
    assert (held.tokens or held.window_tokens) == line["tokens"]
    assert kept.windows == ("window_tokens" in line)
    assert held.window_tokens == line.get("window_tokens", 0)
    assert kept.states == ("slots" in line)
    if kept.states:
        assert kept.slots_per_sequence == line["slots_per_sequence"]
        assert held.slots == line["slots"]
    asked = Workload(engine="sglang", kv_format=line["kv"], tensor_parallel=ranks, capability=tuple(line["capability"]))
    assert server_prints(shape, asked, 20 * GIB).tokens == line["tokens"]


@pytest.mark.parametrize(
    ("slug", "kv_format", "capability", "latent"),
    [
        ("deepseek-v3-2", "bf16", (9, 0), 576 * 2),
        ("deepseek-v3-2", "fp8_e4m3", (9, 0), 512 + 16 + 128),  # four scales of 32 bits, rotary values in 16 bits
        ("deepseek-v3-2", "fp8_e4m3", (10, 0), 576),
        ("deepseek-v3-2", "fp8_e4m3", (12, 0), 576),
        ("glm-5", "fp8_e4m3", (10, 3), 576),
        ("glm-5", "fp8_e4m3", (12, 0), 512 + 16 + 128),
    ],
)
def test_how_sparse_latents_lie_in_fp8(slug: str, kv_format: str, capability: tuple[int, int], latent: int) -> None:
    """`_dsa_split_backend_resolution`, `calculate_mla_kv_cache_dim`; beside them a key of 128 and its scale."""
    kept = pool(reference_shape(slug), Layout(kv_format, 8, capability))
    assert kept.layers[0][0].bytes == latent + 132


def test_layers_that_follow_an_indexer_keep_no_key_of_their_own() -> None:
    """GLM-5.2: `dsa_layer_skips_topk`."""
    sizes = {kept.bytes for (kept,) in pool(reference_shape("glm-5-2"), Layout("bf16", 1)).layers}
    assert sizes == {576 * 2, 576 * 2 + 132}


def test_layers_that_read_another_s_keys_have_their_place() -> None:
    """Gemma 4 E4B: `num_effective_layers` counts all 42, though 18 read what an earlier one wrote."""
    shape = reference_shape("gemma-4-e4b-it")
    assert sum(layer.shares_kv_of is not None for layer in shape.layers) == 18
    assert all(pool(shape, Layout("bf16", 1)).layers)


def test_without_the_prefix_cache_a_sequence_takes_one_state() -> None:
    answer = estimate(
        catalogued("qwen/qwen3-next-80b-a3b-instruct"), Workload(engine="sglang", sequences=4, prefix_caching=False)
    )
    assert {term.values["slots"] for term in answer.part("state").terms} == {4 + 1}


@pytest.mark.parametrize(
    ("kv", "capability", "width"), [("bf16", (9, 0), 2), ("fp8_e4m3", (9, 0), 1), ("fp8_e4m3", (8, 0), 2)]
)
def test_the_key_of_an_indexer_beside_plain_attention(kv: str, capability: tuple[int, int], width: int) -> None:
    """MiniMax-M3: one key of 128 values a token in the layers that choose (`mem_cache/memory_pool.py`)."""
    shape = catalogued("minimax/minimax-m3")
    layers = pool(shape, Layout(kv, 1, capability=capability)).layers
    values = 1 if kv.startswith("fp8") else 2
    sizes = {each.bytes for layer in layers for each in layer if each.kind == "full"}
    plain = min(sizes)
    assert sizes == {plain, plain + 128 * width}
    assert plain % values == 0


def test_formats_are_those_of_the_command_line() -> None:
    """`--kv-cache-dtype` knows no f16: it is `auto` for a model of 16-bit floats, and for no other."""
    engine = ENGINES["sglang"]
    assert "f16" not in engine.kv_formats(reference_shape("llama-3-1-8b-instruct"))


def test_half_precision_keeps_its_cache_unless_latents_are_sparse() -> None:
    """`auto` keeps the model's dtype; sparse latents take BF16 and FP8 alone (`arg_groups/overrides.py`)."""
    engine = ENGINES["sglang"]
    assert engine.default_kv_format(replace(reference_shape("qwen3-8b"), native_format="FP16")) == "f16"
    assert engine.default_kv_format(replace(catalogued("deepseek/deepseek-v3-2"), native_format="FP16")) == "bf16"


def test_a_class_that_it_lacks_is_refused_by_name() -> None:
    """No file of `srt/models/` has an `EntryClass` for Jamba, whose class in transformers allows no other attention."""
    with pytest.raises(WorkloadError) as caught:
        estimate(catalogued("ai21/ai21-jamba-large-1-6"), Workload(engine="sglang"))
    assert (caught.value.field, caught.value.key) == ("engine", "model_not_supported")


@pytest.mark.parametrize("slug", ["deepseek/deepseek-v4-pro", "meta/llama-3-2-11b-vision-instruct"])
def test_what_is_not_modelled_is_refused_by_name(slug: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        estimate(catalogued(slug), Workload(engine="sglang"))
    assert caught.value.field == "engine"
    assert caught.value.values["layer"]


@pytest.mark.parametrize(("kv_format", "width"), [("bf16", 2), ("f16", 2), ("fp8_e4m3", 1), ("fp8_e5m2", 1)])
def test_width_of_a_cached_value(kv_format: str, width: int) -> None:
    """Llama 3.1 8B: keys and values of 8 heads of 128."""
    kept = pool(reference_shape("llama-3-1-8b-instruct"), Layout(kv_format, 1))
    assert {each.bytes for layer in kept.layers for each in layer} == {2 * 8 * 128 * width}


@pytest.mark.parametrize(("stated", "width"), [("float32", 4), ("bfloat16", 2), ("float16", 2), (None, 4)])
def test_width_of_a_state(stated: str | None, width: int) -> None:
    """`mamba2_state_dtype`: as `mamba_ssm_dtype` says, or 32 bits. Qwen3-Next: 32 heads of 128 x 128, and three inputs
    of a convolution over 2 x 16 x 128 keys and 32 x 128 values in 16 bits."""
    shape = replace(reference_shape("qwen3-next-80b-a3b-instruct"), state_dtype=stated)
    sizes = {each.bytes for layer in pool(shape, Layout("bf16", 1)).layers for each in layer if each.kind == "state"}
    assert sizes == {32 * 128 * 128 * width + 3 * (2 * 16 * 128 + 32 * 128) * 2}
