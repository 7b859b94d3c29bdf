"""SGLang against what its servers printed in public, and against its own formulas."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calculator.accuracy.references import reference_lines, reference_shape
from calculator.architecture import Shape, read_config
from calculator.hardware import WeightSource, engine_named, launch_commands
from calculator.memory import ENGINES, Capacity, Workload, WorkloadError, capacity, estimate
from calculator.memory.engines import served
from calculator.memory.rank_weights import storage
from calculator.memory.sglang.layers import Layout
from calculator.memory.sglang.pool import Needed, pool
from calculator.memory.sglang.server import server
from calculator.memory.sglang.split import Layout as WeightLayout
from calculator.memory.sglang.split import price
from calculator.memory.tensors import tensor_groups

GIB = 2**30
DATA = Path(__file__).parents[3] / "catalog" / "data" / "models"
FLAGS = (Path(__file__).parents[2] / "reference" / "sglang_flags.txt").read_text(encoding="utf-8").split()


def of_catalogue(slug: str) -> Shape:
    (path,) = DATA.glob(f"*/{slug}/config.json")
    return read_config(json.loads(path.read_text(encoding="utf-8")))


def server_prints(shape: Shape, workload: Workload, pool_bytes: int) -> Capacity:
    found = capacity(shape, workload, pool_bytes)
    assert found is not None
    return found


def rank_bytes(shape: Shape, layout: Layout, needed: Needed, part: str) -> float:
    """GiB that one rank holds of the cache or the states."""
    cached, states = pool(shape, layout).held(needed, (range(shape.num_layers),), layout.ranks)
    (held,) = (cached if part == "cache" else states).rank_bytes
    return held / GIB


# tokens or states -> GB (2^30) as printed; each line names its source. `calculator/reference/measured.jsonl` has more.
PRINTED = [
    # flashinfer-ai/flashinfer#5445, GLM-5.3-Flash: "#tokens: 341952, KV size: 2.26 GB", 4 ranks, SM120
    ("glm-5-3-flash", Layout("fp8_e4m3", 4, (12, 0)), Needed(341_952, 0, 0), "cache", 2.26, 0.005),
    # sgl-project/sglang#15464, a build whose windows had as many tokens: "SWAKVPool mem usage: 77.63 GB", 4 ranks
    ("mimo-v2-flash", Layout("bf16", 4), Needed(1_496_958, 1_496_958, 0), "cache", 77.63, 0.005),
    # no address: Lfm2ForCausalLM, "#tokens: 473854, K size: 2.71 GB, V size: 2.71 GB", "max_mamba_cache_size: 85292,
    # conv_state size: 4.88GB, ssm_state size: 0.00GB"
    ("lfm2-700m", Layout("bf16", 1), Needed(473_854, 0, 0), "cache", 5.42, 0.01),
    ("lfm2-700m", Layout("bf16", 1), Needed(0, 0, 85_292), "state", 4.88, 0.01),
    # no address: BailingMoeV3ForCausalLM, "#tokens: 1226984, KV size: 9.21 GB", "max_mamba_cache_size: 117, conv_state
    # size: 0.28GB, ssm_state size: 8.07GB"
    ("ling-3-0-flash", Layout("bf16", 1), Needed(1_226_984, 0, 0), "cache", 9.21, 0.005),
    ("ling-3-0-flash", Layout("bf16", 1), Needed(0, 0, 117), "state", 8.35, 0.01),
    # no address, 8 x B300: "#tokens: 1167552, KV size: 15.03 GB", "max_mamba_cache_size: 257, conv_state size: 0.46GB,
    # ssm_state size: 13.04GB"
    ("kimi-k3", Layout("fp8_e4m3", 8), Needed(1_167_552, 0, 0), "cache", 15.03, 0.005),
    ("kimi-k3", Layout("fp8_e4m3", 8), Needed(0, 0, 257), "state", 13.50, 0.01),
]


@pytest.mark.parametrize(("slug", "layout", "needed", "part", "printed", "digits"), PRINTED)
def test_pools_as_printed(slug: str, layout: Layout, needed: Needed, part: str, printed: float, digits: float) -> None:
    assert rank_bytes(of_catalogue(slug), layout, needed, part) == pytest.approx(printed, abs=digits)


def test_windows_have_a_pool_of_four_fifths() -> None:
    """sgl-project/sglang#18039, MiMo-V2-Flash on 4 ranks: "full_layer_tokens=375360, swa_layer_tokens=300288".

    Its windowed layers: "#tokens: 300288, K size: 8.38 GB, V size: 5.59 GB".
    """
    kept = pool(of_catalogue("mimo-v2-flash"), Layout("bf16", 4))
    needed = kept.needed(Workload(engine="sglang", context_tokens=375_360), 8192)
    assert (needed.tokens, needed.window_tokens) == (375_360, 300_288)
    (window,) = {each.bytes for layer in kept.layers for each in layer if each.kind == "window"}
    layers = sum(each.kind == "window" for layer in kept.layers for each in layer)
    assert layers * window * 300_288 / GIB == pytest.approx(8.38 + 5.59, abs=0.01)


@pytest.mark.parametrize(
    ("gib", "ranks", "chunk", "sequences", "fraction"),
    [
        # (total - 512 - max(chunk, 2048) * 1.5 - ranks * 128 - sequences * 2 - prefill graphs * 8) / total, in MiB
        (15.75, 1, 2048, 8, round((16128 - 512 - 3072 - 128 - 16 - 42 * 8) / 16128, 3)),
        (24, 1, 4096, 48, round((24576 - 512 - 6144 - 128 - 96 - 50 * 8) / 24576, 3)),
        (44.5, 2, 4096, 32, round((45568 - 512 - 6144 - 256 - 64 - 50 * 8) / 45568, 3)),
        # above 60 GiB at least 10 GiB are left: 512 + 12288 + 128 + 512 + 464 are more
        (79.65, 1, 8192, 256, round((79.65 * 1024 - 512 - 12288 - 128 - 512 - 58 * 8) / (79.65 * 1024), 3)),
        (179, 8, 16384, 512, round((179 * 1024 - 512 - 24576 - 1024 - 1024 - 74 * 8) / (179 * 1024), 3)),
    ],
)
def test_defaults_by_card(gib: float, ranks: int, chunk: int, sequences: int, fraction: float) -> None:
    """`srt/arg_groups/memory_hook.py`, worked out by hand."""
    found = server(Workload(engine="sglang", card_bytes=round(gib * GIB), tensor_parallel=ranks), latent=False)
    assert (found.chunk_tokens, found.graph_sequences) == (chunk, sequences)
    assert found.fraction == fraction


def test_a_page_more_than_is_handed_out() -> None:
    shape = reference_shape("llama-3-1-8b-instruct")
    answer = estimate(shape, Workload(engine="sglang", context_tokens=1000, sequences=3))
    assert answer.part("kv_cache").bytes == 3001 * 32 * 8 * (128 + 128) * 2


@pytest.mark.parametrize(
    ("slug", "slots"), [("qwen3-next-80b-a3b-instruct", 5), ("lfm2-1-2b", 3), ("falcon-h1-34b-instruct", 5)]
)
def test_states_are_kept_for_the_prefix_cache_too(slug: str, slots: int) -> None:
    """`_calculate_mamba_ratio`: three for each sequence, two more where snapshots are taken in turns."""
    answer = estimate(of_catalogue(slug), Workload(engine="sglang", sequences=4))
    assert {term.values["slots"] for term in answer.part("state").terms} == {4 * slots + 1}


def test_sparse_latents_in_fp8_keep_scales_and_a_wide_rotary_part() -> None:
    """`calculate_mla_kv_cache_dim`: 512 + 512 / 128 * 4 + 64 * 2, and an indexer key of 128 + 4."""
    kept = pool(of_catalogue("deepseek-v3-2"), Layout("fp8_e4m3", 8))
    assert kept.layers[0][0].bytes == 656 + 132
    assert kept.page_tokens == 64


@pytest.mark.parametrize(
    ("name", "tokens", "context", "gib"),
    [
        # "max_total_num_tokens=46611, ..., max_running_requests=2048, context_len=32768", K and V of 1.42 GB
        ("qwen2-5-32b-instruct", 46_611, 32_768, 2.845),
        # "max_total_num_tokens=104273, ..., max_running_requests=2048, context_len=40960", K and V of 5.57 GB
        ("qwen3-0-6b", 104_273, 40_960, 11.138),
    ],
)
def test_requests_as_printed(name: str, tokens: int, context: int, gib: float) -> None:
    ranks = 4 if name.startswith("qwen2") else 1
    asked = Workload(engine="sglang", kv_format="bf16", tensor_parallel=ranks, context_tokens=context)
    held = server_prints(reference_shape(name), asked, round(gib * GIB))
    assert held.tokens == pytest.approx(tokens, rel=0.001)
    assert held.max_requests == 2048
    assert held.concurrency == held.tokens / context


def test_states_bound_the_requests() -> None:
    """Qwen3.6-27B: "max_mamba_cache_size: 154" beside 403,904 tokens of cache; five states for a request."""
    asked = Workload(engine="sglang", kv_format="bf16", capability=(12, 0), context_tokens=8192)
    held = server_prints(reference_shape("qwen3-6-27b"), asked, round((2 * 12.33 + 22.23) * GIB))
    assert held.tokens == pytest.approx(403_904, rel=0.01)  # a build from before that version
    assert (held.max_requests, held.concurrency) == (154 // 5, 154 // 5)


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        ({}, 2048),  # 163,840 / 131,072 * 512 = 640
        ({"context_tokens": 32_768}, 2560),
        ({"context_tokens": 1024}, 4096),
        ({"max_seqs": 64}, 64),
        ({"max_seqs": 64, "data_parallel": 2}, 64),  # each copy of the model has as many
    ],
)
def test_most_requests(asked: dict[str, Any], most: int) -> None:
    """`resolve_max_num_reqs`: Llama 3.1 8B has 128 KiB a token, so that 20 GiB hold 163,840."""
    workload = Workload(engine="sglang", **{"context_tokens": 131_072, **asked})
    held = server_prints(reference_shape("llama-3-1-8b-instruct"), workload, 20 * GIB)
    assert (held.tokens, held.max_requests) == (163_840, most)
    assert (held.blocks, held.block_bytes) == (163_840, 131_072)


@pytest.mark.parametrize(
    "name", ["llama-3-1-8b-instruct", "deepseek-v3", "gpt-oss-20b", "qwen3-next-80b-a3b-instruct", "gemma-3-27b-it"]
)
@pytest.mark.parametrize("context", [500, 8192, 131_072])
def test_as_many_requests_as_it_says_fit(name: str, context: int) -> None:
    workload = Workload(engine="sglang", context_tokens=context)
    shape = reference_shape(name)
    held = server_prints(shape, workload, 20 * GIB)
    kept = pool(shape, Layout("bf16", 1))
    chunk = server(workload, latent=False).chunk_tokens
    room = kept.fitting(20 * GIB, (range(shape.num_layers),))

    def fits(sequences: int) -> bool:
        needed = kept.needed(replace(workload, sequences=sequences), chunk)
        return all(one <= most for one, most in zip(needed, room, strict=True))

    number = int(held.concurrency)
    assert number == 0 or fits(number)
    assert number == held.max_requests or not fits(number + 1)


def test_without_the_prefix_cache_requests_settle_windows_and_states() -> None:
    """`SWARequestCapPoolConfigurator`: (128 + 128 + 2) * 16 + 2 * 4096 + 1 tokens of gpt-oss-20b's windows."""
    shape = reference_shape("gpt-oss-20b")
    asked = Workload(engine="sglang", max_seqs=16, prefix_caching=False)
    window = (128 + 128 + 2) * 16 + 2 * 4096 + 1
    token = 8 * 64 * 2 * 2
    assert server_prints(shape, asked, 20 * GIB).tokens == (20 * GIB - window * 12 * token) // (12 * token)
    hybrid = reference_shape("qwen3-next-80b-a3b-instruct")
    assert server_prints(hybrid, replace(asked, max_seqs=8), 20 * GIB).max_requests == 8


def test_what_is_left_of_a_card() -> None:
    """`_profile_available_bytes`: a share of what the driver leaves, less the weights; not told beside an encoder."""
    shape = reference_shape("llama-3-1-8b-instruct")
    answer = estimate(shape, Workload(engine="sglang", card_bytes=80 * GIB, util=0.8))
    held = served(shape, answer)
    assert held is not None
    left = 0.8 * (80 * GIB - 300 * 2**20) - answer.part("weights").bytes
    assert held.available_bytes == pytest.approx(left, abs=2)
    assert served(shape, replace(answer, workload=replace(answer.workload, vision=True))) is None


def test_copies_of_a_model_share_nothing() -> None:
    """`--dp-size`: replicas, each with its own cache."""
    shape = of_catalogue("qwen3-30b-a3b")
    one, two = (estimate(shape, Workload(engine="sglang", data_parallel=copies, sequences=copies)) for copies in (1, 2))
    assert two.total_bytes == 2 * one.total_bytes
    assert two.per_card_bytes == one.per_card_bytes
    assert len(two.cards) == 2


def test_copies_of_attention_lie_on_the_ranks_of_one_model() -> None:
    """`--attn-dp-size 4` of 4 ranks, Qwen3-30B-A3B in 16 bits: attention, embedding and cache whole on every rank,
    experts and output head in four parts."""
    shape = of_catalogue("qwen3-30b-a3b")
    plain = Workload(engine="sglang", weight_format="BF16", tensor_parallel=4, sequences=4)
    apart = replace(plain, data_parallel=4, attention_data_parallel=True)
    split, copied = estimate(shape, plain), estimate(shape, apart)
    attention = 48 * 2 * 2048 * (32 + 4) * 128  # queries, keys, values, output
    embedding = 151_936 * 2048
    assert copied.part("weights").bytes - split.part("weights").bytes == 3 * 2 * (attention + embedding)
    assert len(copied.cards) == 4
    # each holds the whole of a quarter of the requests, instead of a quarter of the whole of all
    pages = {term.values["tokens"] for term in copied.part("kv_cache").terms}
    assert pages == {8192 + 1}
    assert capacity(shape, apart, 20 * GIB) == capacity(shape, replace(plain, tensor_parallel=1), 20 * GIB)


def test_copies_of_attention_share_a_prefill_chunk_and_pad_their_graphs() -> None:
    """`handle_data_parallelism`, `reserve_for_graph_mb`: 8,192 tokens for four; 3 MiB a sequence and copy, or 4.5."""
    asked = Workload(
        engine="sglang", card_bytes=80 * GIB, tensor_parallel=4, data_parallel=4, attention_data_parallel=True
    )
    found = server(asked, latent=False)
    assert (found.chunk_tokens, found.activation_tokens, found.graph_sequences) == (2048, 8192, 512)
    assert found.graph_bytes == (512 * 2 + 512 * 4 * 4.5 + 58 * 8) * 2**20
    few = server(replace(asked, max_seqs=100), latent=False)
    assert few.graph_bytes == (100 * 2 + 100 * 4 * 3 + 58 * 8) * 2**20


def test_whole_experts_weigh_as_much_as_their_slices() -> None:
    shape = of_catalogue("qwen3-30b-a3b")
    sliced, whole = (
        estimate(shape, Workload(engine="sglang", tensor_parallel=4, expert_parallel=ep)) for ep in (False, True)
    )
    assert sliced.part("weights").bytes == whole.part("weights").bytes
    with pytest.raises(WorkloadError, match="num_experts"):  # 128 of them
        estimate(shape, Workload(engine="sglang", tensor_parallel=3, expert_parallel=True))


@pytest.mark.parametrize(
    ("slug", "asked", "field", "key"),
    [
        (
            "llama-3-1-8b-instruct",
            {"tensor_parallel": 4, "data_parallel": 2},
            "attention_data_parallel",
            "not_for_model",
        ),
        ("qwen3-30b-a3b", {"tensor_parallel": 4, "data_parallel": 3}, "data_parallel", "not_divisible"),
        ("qwen3-30b-a3b", {"tensor_parallel": 1, "data_parallel": 2}, "data_parallel", "not_divisible"),
    ],
)
def test_copies_of_attention_that_cannot_be(slug: str, asked: dict[str, Any], field: str, key: str) -> None:
    for ask in (estimate, lambda shape, workload: capacity(shape, workload, GIB)):
        with pytest.raises(WorkloadError) as caught:
            ask(of_catalogue(slug), Workload(engine="sglang", attention_data_parallel=True, **asked))
        assert (caught.value.field, caught.value.key) == (field, key)


def test_prediction_layers_have_weights_and_a_cache() -> None:
    """DeepSeek-R1: a 62nd layer; `DefaultPoolConfigurator` widens a token by 1 / 61, and 48 requests run at once."""
    shape = of_catalogue("deepseek-r1")
    plain, guessing = (Workload(engine="sglang", mtp=mtp) for mtp in (0, 3))
    layer = sum(tensor.elements for tensor in shape.tensors_of("mtp"))
    weights = [estimate(shape, asked).part("weights").bytes for asked in (plain, guessing)]
    assert weights[1] - weights[0] == pytest.approx(layer, rel=0.02)
    held = [server_prints(shape, asked, 20 * GIB) for asked in (plain, guessing)]
    assert [each.block_bytes for each in held] == [61 * 576 * 2, 62 * 576 * 2]
    assert held[1].max_requests == 48


def test_a_prediction_layer_of_sparse_latents_has_an_indexer() -> None:
    """GLM-5.2 (`_compute_dsa_indexer_cell_size`, `allocate_all_layers`), though layers like it have none."""
    kept = pool(reference_shape("glm-5-2"), Layout("bf16", 8, prediction=True))
    assert kept.layers[-1][0].bytes == 576 * 2 + 132
    assert len(kept.layers) == 79


@pytest.mark.parametrize(
    ("slug", "asked", "key"),
    [
        ("qwen3-5-27b", {}, "not_for_model"),  # states of guessed tokens
        ("llama-3-1-8b-instruct", {}, "no_mtp_layers"),
        ("deepseek-r1", {"pipeline_parallel": 2}, "not_with_stages"),
    ],
)
def test_prediction_that_is_not_modelled_is_refused(slug: str, asked: dict[str, Any], key: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        estimate(of_catalogue(slug), Workload(engine="sglang", mtp=2, **asked))
    assert (caught.value.field, caught.value.key) == ("mtp", key)


@pytest.mark.parametrize(
    ("name", "is_split"), [("qwen3-5-9b", True), ("gemma-3-27b-it", True), ("glm-4-6v-flash", False)]
)
def test_positions_of_an_encoder(name: str, is_split: bool) -> None:
    """`VocabParallelEmbedding` in `qwen3_vl.py` and `siglip.py`, `nn.Embedding` in `glm4v.py`."""
    shape = reference_shape(name)
    (table,) = (group for group in tensor_groups(shape) if group.role == "v.position_embd")
    size = price(shape, table, storage(shape, table, "BF16"), WeightLayout(2, 1, 1, 2, whole_experts=False))[0]
    assert size * (2 if is_split else 1) == table.elements * 2


@pytest.mark.parametrize("slug", ["deepseek-v4-pro", "llama-3-2-11b-vision-instruct", "ai21-jamba-large-1-6"])
def test_what_is_not_modelled_is_refused_by_name(slug: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        estimate(of_catalogue(slug), Workload(engine="sglang"))
    assert caught.value.field == "engine"
    assert caught.value.values["layer"]


@pytest.mark.parametrize("slug", ["llama-3-1-8b-instruct", "deepseek-v3", "gpt-oss-20b", "qwen3-next-80b-a3b-instruct"])
@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_what_fits_into_a_pool_is_what_a_pool_needs(slug: str, ranks: int) -> None:
    """The tokens of a pool of some size need no more than that size, and one page more needs more."""
    shape, workload = of_catalogue(slug), Workload(engine="sglang", tensor_parallel=ranks)
    if slug == "qwen3-next-80b-a3b-instruct":
        return  # states take their share of a pool first
    size = 20 * GIB
    tokens = server_prints(shape, workload, size).tokens
    kept = pool(shape, Layout("bf16", ranks))
    window = tokens * 4 // 5 if kept.windows else 0
    parts = (range(shape.num_layers),)
    held, _ = kept.held(Needed(tokens - 1, window - 1 if window else 0, 0), parts, ranks)
    assert held.rank_bytes[0] <= size
    more, _ = kept.held(Needed(tokens + 8, tokens * 4 // 5 + 8, 0), parts, ranks)
    assert more.rank_bytes[0] > size


@pytest.mark.parametrize("weight_format", ["BF16", "FP16", "FP8", "AWQ"])
@pytest.mark.parametrize("kv_format", ["bf16", "fp8_e4m3", "fp8_e5m2"])
@pytest.mark.parametrize("multimodal", [False, True])
def test_every_option_is_the_parser_s_own(weight_format: str, kv_format: str, multimodal: bool) -> None:
    """`tests/reference/sglang_flags.txt`: every option of `ServerArgs.add_cli_args` (0.5.23)."""
    workload = Workload(
        engine="sglang", weight_format=weight_format, kv_format=kv_format, tensor_parallel=4, pipeline_parallel=2
    )
    source = WeightSource(name="M", repository="a/m", multimodal=multimodal)
    for hub in ("huggingface", "modelscope"):
        (command,) = launch_commands(workload, source, hub=hub, draft=replace(source, repository="a/small"))
        words = shlex.split(command.text)
        assert all(word in FLAGS for word in words if word.startswith("--"))
        assert ("SGLANG_USE_MODELSCOPE=true" in words) == (hub == "modelscope")


def test_formats_are_those_of_the_command_line() -> None:
    """`--kv-cache-dtype` knows no f16: it is `auto` for a model of 16-bit floats, and for no other."""
    engine = ENGINES["sglang"]
    assert "f16" not in engine.kv_formats(reference_shape("llama-3-1-8b-instruct"))


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


@pytest.mark.parametrize(
    ("asked", "chunk", "sequences", "fraction"),
    [
        ({}, 8192, 256, 0.83),
        ({"batched_tokens": 4096}, 4096, 256, 0.874),  # 10 GiB are left at least: (81559 - 10240) / 81559
        ({"max_seqs": 16}, 8192, 16, 0.835),
        ({"util": 0.7}, 8192, 256, 0.7),
        ({"eager": True}, 8192, 0, 0.841),
    ],
)
def test_what_can_be_asked_of_a_server(asked: dict[str, Any], chunk: int, sequences: int, fraction: float) -> None:
    """`handle_gpu_memory_settings` on an H100, as its own code answers: 81,559 MiB less 512, 1.5 a token, 128, 2 a
    sequence and 8 a prefill graph."""
    found = server(Workload(engine="sglang", card_bytes=81_559 * 2**20, **asked), latent=False)
    assert (found.chunk_tokens, found.graph_sequences, found.fraction) == (chunk, sequences, fraction)


def test_without_the_prefix_cache_a_sequence_takes_one_state() -> None:
    answer = estimate(
        of_catalogue("qwen3-next-80b-a3b-instruct"), Workload(engine="sglang", sequences=4, prefix_caching=False)
    )
    assert {term.values["slots"] for term in answer.part("state").terms} == {4 + 1}


def test_what_is_asked_stands_in_the_command() -> None:
    workload = Workload(
        engine="sglang",
        weight_format="BF16",
        batched_tokens=2048,
        max_seqs=8,
        util=0.8,
        eager=True,
        prefix_caching=False,
    )
    (command,) = launch_commands(workload, WeightSource(name="M", repository="a/m"))
    words = shlex.split(command.text)
    assert all(word in FLAGS for word in words if word.startswith("--"))
    for asked in ("--chunked-prefill-size 2048", "--max-running-requests 8", "--mem-fraction-static 0.8"):
        assert asked in command.text
    assert {"--disable-decode-cuda-graph", "--disable-prefill-cuda-graph", "--disable-radix-cache"} <= set(words)


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ({"data_parallel": 2}, "--tp-size 4 --dp-size 2"),
        ({"data_parallel": 2, "attention_data_parallel": True}, "--tp-size 4 --attn-dp-size 2"),
        ({"expert_parallel": True}, "--tp-size 4 --ep-size 4"),
        ({"mtp": 3}, "--speculative-algorithm NEXTN --speculative-num-steps 3 --speculative-eagle-topk 1"),
        ({"mtp": 3}, "--speculative-num-draft-tokens 4"),
    ],
)
def test_splits_stand_in_the_command(asked: dict[str, Any], options: str) -> None:
    workload = Workload(engine="sglang", weight_format="BF16", tensor_parallel=4, **asked)
    (command,) = launch_commands(workload, WeightSource(name="M", repository="a/m"))
    assert options in command.text
    assert all(word in FLAGS for word in shlex.split(command.text) if word.startswith("--"))


@pytest.mark.parametrize(
    "asked", [{"mtp": 3}, {"tensor_parallel": 2, "data_parallel": 2, "attention_data_parallel": True}]
)
def test_one_kind_of_guessing_at_a_time(asked: dict[str, Any]) -> None:
    """`_handle_eagle_family` raises for STANDALONE beside attention's copies."""
    source = WeightSource(name="M", repository="a/m")
    (command,) = launch_commands(Workload(engine="sglang", weight_format="BF16", **asked), source, draft=source)
    assert "STANDALONE" not in command.text
    assert [note.key for note in command.notes] == ["sglang_no_draft"]


def test_every_setting_is_an_option_of_the_parser() -> None:
    assert set(engine_named("sglang").flags.values()) <= set(FLAGS)


def test_half_precision_keeps_its_cache_unless_latents_are_sparse() -> None:
    """`auto` keeps the model's dtype; sparse latents take BF16 and FP8 alone (`arg_groups/overrides.py`)."""
    engine = ENGINES["sglang"]
    assert engine.default_kv_format(replace(reference_shape("qwen3-8b"), native_format="FP16")) == "f16"
    assert engine.default_kv_format(replace(of_catalogue("deepseek-v3-2"), native_format="FP16")) == "bf16"


def test_a_request_of_a_windowed_model_keeps_both_pools() -> None:
    """gpt-oss-20b: 12 full layers keep all tokens, 12 keep their window of 128 and what is not evicted yet."""
    shape = of_catalogue("gpt-oss-20b")
    found = server_prints(shape, Workload(engine="sglang", context_tokens=8192), 20 * GIB)
    full, window = pool(shape, Layout("bf16", 1)).of_a_request(8192)
    assert full >= 8192 > window >= 128
    token = 2 * 8 * 64 * 2  # keys and values of 8 heads in 16 bits
    assert found.request_bytes == 12 * (full + window) * token


@pytest.mark.parametrize(
    ("kv", "capability", "width"), [("bf16", (9, 0), 2), ("fp8_e4m3", (9, 0), 1), ("fp8_e4m3", (8, 0), 2)]
)
def test_the_key_of_an_indexer_beside_plain_attention(kv: str, capability: tuple[int, int], width: int) -> None:
    """MiniMax-M3: one key of 128 values a token in the layers that choose (`mem_cache/memory_pool.py`)."""
    shape = of_catalogue("minimax-m3")
    layers = pool(shape, Layout(kv, 1, capability=capability)).layers
    values = 1 if kv.startswith("fp8") else 2
    sizes = {each.bytes for layer in layers for each in layer if each.kind == "full"}
    plain = min(sizes)
    assert sizes == {plain, plain + 128 * width}
    assert plain % values == 0


def test_layers_that_guess_ahead_are_told_with_their_parameters() -> None:
    """DeepSeek-V3 has one such layer of 11.5 billion parameters beside the shared embedding and head."""
    answer = estimate(of_catalogue("deepseek-v3"), Workload(engine="sglang", tensor_parallel=8, mtp=1))
    (term,) = [each for each in answer.part("weights").terms if each.key == "prediction_layers"]
    assert 11.4e9 < int(term.values["parameters"]) < 11.7e9
