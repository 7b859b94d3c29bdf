"""vLLM's weights: what each format takes, what stays wide, how ranks share, against printed lines."""

from __future__ import annotations

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import read_config
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from calculator.memory.checkpoint import FORMATS
from calculator.memory.stages import stages
from tests.calculator.memory.shapes import catalogued, catalogued_config, published, quantised, tiny_llama

VLLM = ENGINES["vllm"]


@pytest.mark.parametrize(
    ("name", "rows", "columns", "size"),
    [
        ("BF16", 256, 256, 256 * 256 * 2),
        ("FP8", 256, 256, 256 * 256 + 4),  # one f32 scale
        ("FP8-BLOCK", 256, 200, 256 * 200 + 4 * 2 * 2),  # a partial block has a scale of its own
        ("INT8", 256, 256, 256 * 256 + 4 * 256),  # one f32 scale per output
        ("AWQ", 256, 256, 256 * 128 + 2 * 256 * 2 + 2 * 128),  # two groups: f16 scales, 4-bit zero points
        ("GPTQ", 256, 256, 256 * 128 + 2 * 256 * 2),  # symmetric
        ("INT4", 256, 256, 256 * 128 + 8 * 256 * 2),  # groups of 32
        ("NVFP4", 256, 256, 256 * 128 + 16 * 256 + 8),
        ("MXFP4", 256, 256, 256 * 128 + 8 * 256),
    ],
)
def test_bytes_of_a_matrix(name: str, rows: int, columns: int, size: int) -> None:
    assert FORMATS[name].matrix_bytes(rows, columns) == size


PRINTED = [
    # config, format, ranks, GiB as printed on one rank, relative error reached, origin
    ("llama-3-1-8b-instruct", "BF16", 1, 14.9889, 8.2e-6, "vllm-project/vllm pull request 17122"),
    ("llama-3-1-8b-instruct", "FP8", 1, 8.4926, 4.6e-4, "public log, vLLM 0.6.3.post1"),
    ("llama-3-1-70b-instruct", "INT8", 1, 67.7229, 1.6e-6, "vllm-project/vllm pull request 12569"),
    ("qwen3-30b-a3b", "BF16", 4, 14.2474, 1.5e-4, "vllm-project/vllm issue 17327"),
    ("qwen3-14b", "BF16", 1, 27.5185, 2.3e-5, "public log"),
]


@pytest.mark.parametrize(
    ("name", "weights", "ranks", "gib", "reached", "origin"), PRINTED, ids=[f"{row[0]}-{row[1]}" for row in PRINTED]
)
def test_weights_as_printed(name: str, weights: str, ranks: int, gib: float, reached: float, origin: str) -> None:
    answer = estimate(published(name), Workload(engine="vllm", weight_format=weights, tensor_parallel=ranks))
    assert answer.part("weights").bytes / ranks / 2**30 == pytest.approx(gib, rel=reached), origin


def test_embeddings_head_and_norms_stay_wide() -> None:
    answer = estimate(tiny_llama(), Workload(engine="vllm", weight_format="AWQ"))
    formats = {
        term.values["tensors"]: term.values["format"] for term in answer.part("weights").terms if term.key == "weights"
    }
    assert formats == {"embedding": "BF16", "output": "BF16", "norm": "BF16", "mixer": "AWQ", "feed_forward": "AWQ"}


def test_the_vocabulary_is_padded_to_64() -> None:
    answer = estimate(tiny_llama(), Workload(engine="vllm"))
    embedding = next(term for term in answer.part("weights").terms if term.values.get("tensors") == "embedding")
    assert embedding.bytes == 1024 * 256 * 2  # 1,000 words


BLOCKS = {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}
KIMI = {"quant_method": "compressed-tensors", "bits": 4, "group_size": 32}


@pytest.mark.parametrize(
    ("name", "quantization", "native", "offered"),
    [
        ("gpt-oss-20b", {"quant_method": "mxfp4"}, "MXFP4", ("BF16", "MXFP4")),
        ("kimi-k2-thinking", KIMI, "INT4", ("BF16", "INT4")),
        ("deepseek-v3", BLOCKS, "FP8", ("BF16", "FP8", "AWQ", "GPTQ", "NVFP4")),
    ],
)
def test_a_quantised_checkpoint_keeps_its_format(
    name: str, quantization: dict[str, object], native: str, offered: tuple[str, ...]
) -> None:
    shape = quantised(name, **quantization)
    assert VLLM.default_weight_format(shape) == native
    assert VLLM.weight_formats(shape) == offered
    with pytest.raises(WorkloadError) as error:
        estimate(shape, Workload(engine="vllm", weight_format="INT8"))
    assert error.value.field == "weight_format"
    assert error.value.values["offered"] == offered


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("openai/gpt-oss-120b", 65.9651),  # vllm-project/vllm issue 23278: Marlin, one card
        ("openai/gpt-oss-20b", 13.72),  # myoceane.fr, "ai-vllm-a100-gemma-4": 0.19 on an A100
    ],
)
def test_gpt_oss_as_printed_with_marlin(name: str, printed: float) -> None:
    answer = estimate(catalogued(name), Workload(engine="vllm", capability=(8, 0)))
    assert answer.part("weights").bytes / 2**30 == pytest.approx(printed, rel=0.0015)


def test_gpt_oss_as_printed_with_triton() -> None:
    """vllm-project/vllm issue 33155: 64.38 GiB in 0.14, which kept the scales as stored beside those of its kernel."""
    as_stored = 36 * 128 * 3 * 2_880 * 2_880 // 32
    answer = estimate(catalogued("openai/gpt-oss-120b"), Workload(engine="vllm", capability=(9, 0)))
    assert (answer.part("weights").bytes + as_stored) / 2**30 == pytest.approx(64.38, rel=0.0007)


@pytest.mark.parametrize(("ranks", "width"), [(1, 2_944), (2, 1_536), (8, 384)])
@pytest.mark.parametrize("capability", [(8, 0), (10, 0), (12, 0)])
def test_experts_in_mxfp4_are_padded(ranks: int, width: int, capability: tuple[int, int]) -> None:
    """gpt-oss 20B for Marlin and TensorRT-LLM: a hidden size of 2,880 becomes 3,072, the width whole rows of 128."""
    workload = Workload(engine="vllm", tensor_parallel=ranks, capability=capability)
    terms = estimate(catalogued("openai/gpt-oss-20b"), workload).part("weights").terms
    held = sum(term.bytes for term in terms if term.values.get("format") == "MXFP4")
    matrices = 3 * (width * 3_072 // 2 + width * 3_072 // 32)  # half a byte a weight, and a byte for 32 of them
    biases = (2 * width + 3_072) * (4 if capability == (10, 0) else 2)
    assert held == 24 * 32 * (matrices + biases) * ranks


def test_scales_of_experts_are_padded_on_hopper() -> None:
    """gpt-oss 20B: the weights stay as they are, gate and up have scales of 5,888 rows, down of 3,072, each of 92."""
    answer = estimate(catalogued("openai/gpt-oss-20b"), Workload(engine="vllm", capability=(9, 0)))
    (experts,) = (term for term in answer.part("weights").terms if term.values.get("format") == "MXFP4")
    assert experts.bytes == 24 * 32 * (3 * 2_880 * 1_440 + (5_888 + 3_072) * 92 + 3 * 2_880 * 4)


def test_routers_follow_what_the_file_leaves_out() -> None:
    """`models/qwen3_moe.py` gives its router the checkpoint's quantisation: 48 of 128 x 2,048, blocks of 128."""
    blocks = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    whole, wide = (
        estimate(quantised("qwen3-30b-a3b", **blocks, modules_to_not_convert=names), Workload(engine="vllm"))
        for names in ([], [f"model.layers.{layer}.mlp.gate" for layer in range(48)])
    )
    assert wide.part("weights").bytes - whole.part("weights").bytes == 48 * (128 * 2_048 - 16 * 4)


def test_what_a_model_without_towers_sees_with_stays_in_memory() -> None:
    """Gemma 4 12B turns pictures into tokens in front of its layers, in modules that no flag leaves out."""
    blind, seeing = (
        estimate(catalogued("google/gemma-4-12b-it"), Workload(engine="vllm", vision=vision))
        for vision in (False, True)
    )
    inputs = next(term.bytes for term in seeing.part("compute").terms if term.key == "input_embeddings")
    assert blind.total_bytes == seeing.total_bytes - inputs
    assert not blind.part("vision").bytes


@pytest.mark.parametrize(("ranks", "copied"), [(1, {}), (2, {"norm": 2}), (8, {"norm": 8})])
def test_what_lies_whole_on_every_rank_is_told(ranks: int, copied: dict[str, int]) -> None:
    answer = estimate(published("llama-3-3-70b-instruct"), Workload(engine="vllm", tensor_parallel=ranks))
    terms = [term for term in answer.part("weights").terms if term.key.startswith("weights")]
    assert {term.values["tensors"]: term.values["copies"] for term in terms if "copies" in term.values} == copied


def test_heads_that_ranks_share_are_told() -> None:
    """Qwen3 235B A22B has 4 key/value heads: on 8 ranks each lies twice."""
    answer = estimate(published("qwen3-235b-a22b"), Workload(engine="vllm", tensor_parallel=8))
    copies = {
        term.values.get("copies", 1) for term in answer.part("weights").terms if term.values.get("tensors") == "mixer"
    }
    assert copies == {1, 2}


def test_a_format_whose_groups_do_not_fit_is_not_offered() -> None:
    offered = VLLM.weight_formats(tiny_llama(intermediate_size=480))  # 480 = 3.75 groups of 128
    assert "AWQ" not in offered
    assert "NVFP4" in offered


@pytest.mark.parametrize(
    ("changes", "ranks", "key", "name"),
    [
        ({}, 3, "not_divisible", "num_heads"),
        ({"num_attention_heads": 12, "num_key_value_heads": 6, "head_dim": 64}, 4, "not_divisible", "num_kv_heads"),
        ({"intermediate_size": 500}, 8, "not_divisible", "intermediate_size"),
    ],
)
def test_a_split_that_does_not_divide_is_named(changes: dict[str, int], ranks: int, key: str, name: str) -> None:
    with pytest.raises(WorkloadError) as error:
        estimate(tiny_llama(**changes), Workload(engine="vllm", tensor_parallel=ranks))
    assert (error.value.field, error.value.key, error.value.values["name"]) == ("tensor_parallel", key, name)


def test_a_split_through_a_block_of_scales_is_refused() -> None:
    # The input of the down projection, 512 / 8 = 64, cuts blocks of 128: `validate_fp8_block_shape` in fp8_utils.py.
    shape = tiny_llama(num_attention_heads=8, num_key_value_heads=8, head_dim=128)
    with pytest.raises(WorkloadError) as error:
        estimate(shape, Workload(engine="vllm", weight_format="FP8-BLOCK", tensor_parallel=8))
    assert (error.value.key, error.value.values["size"]) == ("cuts_group", 64)


def test_blocks_of_experts_are_made_finer_where_a_split_cuts_them() -> None:
    # Qwen3-235B-A22B on 8 ranks: experts of 1,536 / 8 = 192 get a scale for every 64 x 64.
    workload = Workload(engine="vllm", weight_format="FP8-BLOCK", tensor_parallel=8)
    (experts,) = (
        term
        for term in estimate(published("qwen3-235b-a22b"), workload).part("weights").terms
        if term.values.get("tensors") == "experts"
    )
    weights = 94 * 128 * 3 * 4_096 * 1_536
    assert experts.bytes == weights + weights // (64 * 64) * 4


def test_two_ranks_cut_through_a_group_too() -> None:
    with pytest.raises(WorkloadError) as error:  # 384 / 2 = 192, in groups of 128
        estimate(tiny_llama(intermediate_size=384), Workload(engine="vllm", weight_format="AWQ", tensor_parallel=2))
    assert error.value.values == {"tensor": "ffn_down", "size": 192, "group": 128, "format": "AWQ"}


def test_keys_and_values_are_stored_alike() -> None:
    with pytest.raises(WorkloadError) as error:
        estimate(tiny_llama(), Workload(engine="vllm", kv_format="bf16", kv_v_format="fp8"))
    assert error.value.field == "kv_v_format"


@pytest.mark.parametrize(
    ("layers", "depth", "sizes"), [(61, 4, [15, 15, 16, 15]), (48, 5, [9, 10, 10, 10, 9]), (2, 2, [1, 1])]
)
def test_layers_of_a_stage(layers: int, depth: int, sizes: list[int]) -> None:
    # vLLM distributed/utils.py, get_pp_indices
    assert [len(stage) for stage in stages(layers, depth)] == sizes


def test_what_a_server_reserves() -> None:
    card = 80 * 2**30
    answer = estimate(tiny_llama(), Workload(engine="vllm", card_bytes=card, tensor_parallel=2))
    assert answer.reserved_bytes == -(-card * 92 // 100) * 2
    assert estimate(tiny_llama(), Workload(engine="vllm")).reserved_bytes is None


HY4_DEFAULTS = {
    "layer_types": ["indexed_attention"] * 78,
    "q_lora_rank": 1536,
    "index_n_heads": 16,
    "num_key_value_heads": 8,
    "intermediate_size": 6912,
}
AS_CONSTRUCTED = [
    # what vLLM 0.33.0's own classes hold on one of 8 ranks, built without a card
    ("meta-models/muse-glimmer-30b", {}, 10_150_127_072),  # attention of the encoder is split, the rest is not
    ("google/gemma-4-12b-it", {}, 3_498_163_618),  # the projection of patches is split
    ("google/gemma-4-e2b-it", {}, 2_530_185_646),  # and that of all layers' inputs
    ("cohere/c4ai-command-r-plus", {}, 25_987_622_400),  # norms have a number for each of all heads
    # f32 routers, one table; built with transformers' default sizes, before Tencent's were known
    ("tencent/hy4-preview", HY4_DEFAULTS, 194_863_104_388),
]


@pytest.mark.parametrize(("name", "changes", "size"), AS_CONSTRUCTED, ids=[row[0] for row in AS_CONSTRUCTED])
def test_a_rank_of_eight_as_constructed(name: str, changes: dict[str, object], size: int) -> None:
    shape = read_config({**catalogued_config(name), **changes})
    workload = Workload(engine="vllm", tensor_parallel=8, vision=True, batched_tokens=8_192)
    answer = estimate(shape, workload)
    loaded = (answer.part("weights").bytes + answer.part("vision").bytes) // 8
    assert loaded == pytest.approx(size, abs=64 * 1024)


@pytest.mark.parametrize(("method", "size"), [("noaux_tc", 4), ("greedy", 0), (None, 0)])
def test_a_correction_is_held_where_the_config_states_it(method: str | None, size: int) -> None:
    """DeepSeek-V3: 58 routers of 256 experts, whose correction is in 32 bits."""
    stated = {} if method is None else {"topk_method": method}
    config = {key: value for key, value in reference_config("deepseek-v3").items() if key != "topk_method"}
    plain, answer = (
        estimate(read_config({**config, **changes}), Workload(engine="vllm")).part("weights").bytes
        for changes in ({}, stated)
    )
    assert answer - plain == 58 * 256 * size


@pytest.mark.parametrize(("named", "tables"), [("PhiMoEForCausalLM", 1), ("PhimoeForCausalLM", 0)])
def test_the_class_that_a_file_names_decides_whose_code_runs(named: str, tables: int) -> None:
    shape = read_config({**catalogued_config("microsoft/phi-3-5-moe-instruct"), "architectures": [named]})
    terms = estimate(shape, Workload(engine="vllm")).part("weights").terms
    assert sum(term.key == "rotary_table" for term in terms) == tables


def test_experts_of_compressed_tensors_keep_their_sizes() -> None:
    """Two numbers of 16 bits for every expert, of gate with up and of down: Kimi K2.5, 60 layers of 384 experts."""
    shape = catalogued("moonshot/kimi-k2-5")
    (experts,) = (
        term
        for term in estimate(shape, Workload(engine="vllm")).part("weights").terms
        if term.values.get("tensors") == "experts"
    )
    weights = 60 * 384 * 3 * 7_168 * 2_048
    assert experts.bytes == weights // 2 + weights // 32 * 2 + 60 * 384 * 2 * 2 * 2
