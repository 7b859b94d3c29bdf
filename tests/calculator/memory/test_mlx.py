"""MLX against what mlx-lm itself makes of configs, and against the peaks that it publishes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from calculator import labels
from calculator.accuracy.references import reference_config
from calculator.architecture import read_config
from calculator.hardware import WeightSource, launch_commands
from calculator.memory import Workload, WorkloadError, estimate
from calculator.memory.engines import refusal
from calculator.memory.mlx import weight_formats
from tests.calculator.memory.shapes import REFERENCE, catalogued, catalogued_config, published, reference, tiny_llama

LINES = reference("mlx.jsonl")
RUN = [line for line in LINES if "refused" not in line]
FORMATS = ("bf16", "8bit", "6bit", "4bit", "3bit", "mxfp8", "nvfp4", "mxfp4")
FLAGS = (REFERENCE / "mlx_server_flags.txt").read_text(encoding="utf-8").split()


def name_of(line: dict[str, Any]) -> str:
    return str(line["config"])


@pytest.mark.parametrize("line", RUN, ids=name_of)
def test_weights_and_cache_as_mlx_lm_makes_them(line: dict[str, Any]) -> None:
    """To the byte, in every format."""
    shape = catalogued(line["config"])
    for weight_format in FORMATS:
        if weight_format in line:
            answer = estimate(shape, Workload(engine="mlx", weight_format=weight_format, context_tokens=300))
            assert answer.part("weights").bytes == line[weight_format], weight_format
    for context, size in line.get("cache", {}).items():
        answer = estimate(shape, Workload(engine="mlx", context_tokens=int(context)))
        assert answer.part("kv_cache").bytes + answer.part("state").bytes == size, context


def test_one_bit_is_packed_like_any_other() -> None:
    """mlx 0.32.4 has 1, 2, 3, 4, 5, 6 and 8 bits, by what `quantize` answers to 7. prism-ml/Bonsai-4B-mlx-1bit: Qwen3
    4B with 151,669 words, in groups of 128; its 188,708,056 numbers (llmfit 1.1.17, `hf_models.json`) are words of 32
    weights, a scale and a bias for each group, and the norms."""
    own = {"vocab_size": 151669, "quantization": {"group_size": 128, "bits": 1}}
    shape = read_config(catalogued_config("qwen/qwen3-4b") | own)
    norms = 36 * (2 * 2560 + 2 * 128) + 2560
    packed = shape.total_parameters - norms
    assert packed // 32 + 2 * packed // 128 + norms == 188_708_056
    answer = estimate(shape, Workload(engine="mlx", context_tokens=300))
    assert answer.part("weights").bytes == packed // 32 * 4 + 2 * packed // 128 * 2 + norms * 2
    assert weight_formats(shape) == ("BF16", "1bit-g128")


def test_nothing_is_made_of_one_bit_that_was_not_trained_for_it() -> None:
    assert not [name for name in weight_formats(catalogued("qwen/qwen3-8b")) if name.startswith("1bit")]


@pytest.mark.parametrize("line", [line for line in LINES if "refused" in line], ids=name_of)
def test_a_model_without_a_class_is_refused_by_its_type(line: dict[str, Any]) -> None:
    error = refusal(catalogued(line["config"]), "mlx")
    assert error is not None
    assert labels.error_text(error)


@pytest.mark.parametrize(
    ("path", "outer", "known"),
    [
        ("stepfun/step-3-7-flash", None, "step3p7"),
        ("qwen/qwen3-5-35b-a3b", None, None),
        ("qwen/qwen3-5-35b-a3b", "qwen3_5_moe_text", "qwen3_5_moe_text"),  # the text part of the file, given alone
        ("mistral/mistral-7b-instruct-v0-3", None, None),  # `MODEL_REMAPPING`: "mistral" is "llama"
        ("moonshot/kimi-k2-thinking", None, None),  # likewise "kimi_k2" is "deepseek_v3"
    ],
)
def test_the_outer_type_of_a_file_decides(path: str, outer: str | None, known: str | None) -> None:
    """`utils.py`, `_get_classes`: a module of `mlx_lm/models` is looked for by the config's own `model_type`."""
    config = catalogued_config(path)
    if outer is not None:
        config = config["text_config"] | {"model_type": outer}
    error = refusal(read_config(config), "mlx")
    if known is None:
        assert error is None
    else:
        assert error is not None
        assert (error.key, error.values) == ("model_not_supported", {"model_type": known})


LING_3 = {
    "model_type": "bailing_hybrid",
    "hidden_size": 1024,
    "intermediate_size": 2048,
    "moe_intermediate_size": 512,
    "vocab_size": 32_000,
    "num_hidden_layers": 6,
    "layer_group_size": 3,
    "first_k_dense_replace": 1,
    "max_position_embeddings": 4096,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "short_conv_kernel_size": 4,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "num_experts": 16,
    "num_experts_per_tok": 4,
    "num_shared_experts": 1,
    "n_group": 4,
    "topk_group": 2,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


@pytest.mark.parametrize("named", [{"architectures": ["BailingMoeV3ForCausalLM"]}, {}])
@pytest.mark.parametrize(
    ("q_lora_rank", "sizes"),
    [
        (None, {"BF16": 478_811_360, "4bit": 238_392_544, "mxfp8": 316_789_984, "mixed_4_6": 147_824_864}),
        (256, {"BF16": 475_142_368, "4bit": 234_723_552, "mxfp8": 313_120_992, "mixed_4_6": 146_793_696}),
    ],
)
def test_a_class_may_have_a_file_of_its_own(
    named: dict[str, Any], q_lora_rank: int | None, sizes: dict[str, int]
) -> None:
    """`MODEL_ARCHITECTURE_REMAPPING`: Ling 3 has `bailing_moe_v3.py`, which leaves embeddings and MLA wide.

    Sizes are what that class holds (`tests/reference/mlx_bytes.py` on this config).
    """
    shape = read_config({**LING_3, **named, "q_lora_rank": q_lora_rank})
    asked = [Workload(engine="mlx", weight_format=name, context_tokens=300) for name in sizes]
    assert [estimate(shape, workload).file_bytes for workload in asked] == list(sizes.values())
    answer = estimate(shape, asked[0])
    assert answer.part("kv_cache").bytes + answer.part("state").bytes == 3_350_528


# Qwen3.8-27B-4bit at 131,072 tokens, GB of peak memory by `--prefill-step-size`: ml-explore/mlx-lm pull request 1781
PIECES = [(2_048, 39.78), (1_024, 32.26), (512, 28.54), (256, 26.52)]


@pytest.mark.parametrize(("piece", "peak"), PIECES)
def test_the_size_of_a_piece_bounds_the_peak(piece: int, peak: float) -> None:
    """Heads of 256 have no kernel of their own: scores of a piece against the whole context lie in memory."""
    answer = estimate(published("qwen3-8-27b"), Workload(engine="mlx", context_tokens=131_072, batched_tokens=piece))
    assert answer.total_bytes / 1e9 == pytest.approx(peak, rel=0.005)


def test_a_cache_in_groups_of_64() -> None:
    """`--kv-bits`: a scale and a bias of 16 bits for 64 values; a window's cache has no such form."""
    shape = tiny_llama(head_dim=64)
    wide, narrow = (
        estimate(shape, Workload(engine="mlx", kv_format=name)).part("kv_cache").bytes for name in ("bf16", "4bit")
    )
    assert narrow * 32 == wide * 9


# `RotatingKVCache.to_quantized` is not written; MLA adds to the latent; a group of 64 divides no head of 80 or 96;
# Gemma 2 multiplies its scores out; two caches in one layer are never packed; nothing is cached at all.
UNPACKED = ["gemma-3-27b-it", "deepseek-v3", "phi-3-mini-4k-instruct", "gemma-2-27b-it", "falcon-h1-7b-instruct"]


@pytest.mark.parametrize("name", [*UNPACKED, "mamba-codestral-7b-v0-1"])
def test_caches_that_cannot_be_packed(name: str) -> None:
    with pytest.raises(WorkloadError, match="kv_format"):
        estimate(published(name), Workload(engine="mlx", kv_format="4bit"))


@pytest.mark.parametrize("name", ["llama-3-1-8b-instruct", "granite-4-0-h-tiny"])
def test_a_packed_cache_keeps_its_scores_in_memory(name: str) -> None:
    wide, narrow = (
        estimate(published(name), Workload(engine="mlx", kv_format=kv, context_tokens=65_536))
        for kv in ("bf16", "8bit")
    )
    assert narrow.part("kv_cache").bytes < wide.part("kv_cache").bytes
    assert narrow.part("compute").bytes > 2 * wide.part("compute").bytes
    assert "mlx_packed_from_start" in {note.key for note in narrow.notes}


def test_a_model_whose_layers_share_indexers_is_refused() -> None:
    error = refusal(published("glm-5-2"), "mlx")
    assert error is not None
    assert error.key == "indexers_shared"


def test_prompts_of_eight_pass_together() -> None:
    """`--prompt-concurrency`; Llama 4's chunks are no part of a batch."""
    one, eight, many = (
        estimate(published("llama-3-1-8b-instruct"), Workload(engine="mlx", sequences=number)) for number in (1, 8, 64)
    )
    assert one.part("compute").bytes < eight.part("compute").bytes
    assert many.part("kv_cache").bytes == 64 * one.part("kv_cache").bytes
    (term,) = many.part("compute").terms
    assert term.values["sequences"] == 8
    chunked = estimate(published("llama-4-scout-instruct"), Workload(engine="mlx", sequences=8))
    assert chunked.part("compute").terms[0].values["sequences"] == 1
    assert "mlx_one_by_one" in {note.key for note in chunked.notes}


NATIVE = [
    # quantization of the file, bits of a weight (mlx_lm.convert prints "Quantized model with 4.500 bits per weight.")
    ({"group_size": 64, "bits": 4}, 4.500),
    ({"group_size": 64, "bits": 4, "mode": "affine"}, 4.500),
    ({"group_size": 32, "bits": 8}, 9.000),
    ({"group_size": 32, "bits": 4, "mode": "mxfp4"}, 4.250),
    ({"group_size": 64, "bits": 4, "lm_head": {"group_size": 64, "bits": 8}}, 4.762),
    ({"group_size": 64, "bits": 4, "model.embed_tokens": False, "lm_head": False}, 6.005),
    ({"group_size": 64, "bits": 4, "model.layers.0.mlp.gate": {"group_size": 64, "bits": 8}}, 4.500),  # no such module
]


@pytest.mark.parametrize(("quantization", "bits"), NATIVE)
@pytest.mark.parametrize("keys", [("quantization",), ("quantization", "quantization_config"), ("quantization_config",)])
def test_a_checkpoint_of_its_own_is_as_it_says(
    quantization: dict[str, Any], bits: float, keys: tuple[str, ...]
) -> None:
    shape = read_config(reference_config("llama-3-1-8b-instruct") | dict.fromkeys(keys, quantization))
    answer = estimate(shape, Workload(engine="mlx"))
    assert answer.file_bytes * 8 / shape.total_parameters == pytest.approx(bits, abs=5e-4)
    assert "assumption" in {note.key for note in answer.notes}
    with pytest.raises(WorkloadError, match="weight_format"):
        estimate(shape, Workload(engine="mlx", weight_format="3bit"))


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang", "transformers"])
def test_other_engines_answer_for_the_model_it_was_made_from(engine: str) -> None:
    plain = reference_config("llama-3-1-8b-instruct")
    shape = read_config(plain | {"quantization": {"group_size": 64, "bits": 4}})
    asked = Workload(engine=engine)
    assert estimate(shape, asked).total_bytes == estimate(read_config(plain), asked).total_bytes
    assert "assumption" in {note.key for note in estimate(shape, asked).notes}
    with pytest.raises(WorkloadError, match="weight_format"):
        estimate(shape, Workload(engine=engine, weight_format="4bit"))


@pytest.mark.parametrize("line", reference("mlx_recipes.jsonl"), ids=lambda line: str(line["config"]))
def test_recipes_and_group_sizes_as_mlx_lm_makes_them(line: dict[str, Any]) -> None:
    shape = catalogued(line["config"]) if "/" in line["config"] else published(line["config"])
    found = {}
    for name in line["bytes"]:
        found[name] = estimate(shape, Workload(engine="mlx", weight_format=name)).file_bytes
    assert found == line["bytes"]
    offered = {name for name in weight_formats(shape) if name.startswith("mixed_")}
    assert offered == {name for name in line["bytes"] if name.startswith("mixed_")}


def test_knobs_of_other_engines_are_refused() -> None:
    for asked in (Workload(engine="mlx", tensor_parallel=2), Workload(engine="mlx", pipeline_parallel=2)):
        with pytest.raises(WorkloadError, match="parallel"):
            estimate(tiny_llama(), asked)


COMMANDS = [
    # weights, cache, hub, conversion, server
    (
        "4bit",
        "8bit",
        "huggingface",
        "mlx_lm.convert --hf-path a/model -q --q-bits 4",
        "model-4bit --kv-bits 8 --quantized-kv-start 0",
    ),
    (
        "4bit-g32",
        None,
        "huggingface",
        "mlx_lm.convert --hf-path a/model -q --q-bits 4 --q-group-size 32",
        "model-4bit-g32",
    ),
    (
        "mixed_4_6",
        None,
        "huggingface",
        "mlx_lm.convert --hf-path a/model -q --quant-predicate mixed_4_6",
        "model-mixed_4_6",
    ),
    ("mxfp4", None, "modelscope", "mlx_lm.convert --hf-path a/model -q --q-mode mxfp4", "model-mxfp4"),
    ("BF16", None, "modelscope", "", "a/model"),
]


@pytest.mark.parametrize(("weight_format", "kv_format", "hub", "conversion", "served"), COMMANDS)
def test_the_command_makes_what_was_computed(
    weight_format: str, kv_format: str | None, hub: str, conversion: str, served: str
) -> None:
    workload = Workload(engine="mlx", weight_format=weight_format, kv_format=kv_format)
    (command,) = launch_commands(workload, WeightSource(name="Model", repository="a/model"), hub=hub)
    text = f"mlx_lm.server --model {served}"
    if conversion:
        text = f"{conversion} --mlx-path {served.split()[0]} &&\n{text}"
    assert command.text == ("MLXLM_USE_MODELSCOPE=true " if hub == "modelscope" else "") + text
    flags = {word for word in shlex.split(command.text.split("mlx_lm.server")[1]) if word.startswith("--")}
    assert flags <= set(FLAGS)
