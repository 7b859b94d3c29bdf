"""Model types whose code only their own repositories bring: all tensors together, those that predict included, are the
number of parameters in the published checkpoint (llmfit 1.1.17, `hf_models.json`, `parameters_raw`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.architecture.shape import LinearAttention, SlidingWindowAttention
from calculator.memory import Workload, WorkloadError, estimate
from tests.calculator.architecture import code_files as files
from tests.calculator.architecture.code_files import Config

PUBLISHED: dict[str, tuple[Config, int]] = {
    "openbmb/MiniCPM-SALA": (files.SALA, 9_477_203_968),
    "Nanbeige/Nanbeige4.2-3B": (files.NANBEIGE, 4_169_800_704),
    "ByteDance/Ouro-1.4B": (files.OURO, 1_434_652_673),
    "IQuestLab/IQuest-Coder-V1-40B-Loop-Instruct": (files.IQUEST, 39_794_696_320),
    "sapientinc/HRM-Text-1B": (files.HRM, 1_182_795_264),
    "XingChen-AGI/Xing4.0-29B-A4B": (files.XING, 31_215_031_088),
    "lewtun/talkie-1930-13b-it-hf": (files.TALKIE, 13_280_257_721),
    "Beetle-FineWeb3-24B/beetle-monolingual-fineweb3-eng": (files.PICO, 193_804_032),
    "AIDC-AI/Ovis2-1B": (files.OVIS_2, 1_267_417_974),  # its file holds the shared head once more
    "AIDC-AI/Ovis1.6-Gemma2-9B": (files.OVIS_1_6, 10_206_910_518),
    "microsoft/git-base": (files.GIT, 176_619_066),
    "fla-hub/rwkv7-0.1B-g1": (files.rwkv7(768, 12), 191_034_624),
    "fla-hub/rwkv7-0.4B-world": (files.rwkv7(1024, 24) | {"gate_low_rank_dim": 128}, 450_767_872),
    "fla-hub/rwkv7-2.9B-world": (files.rwkv7(2560, 32), 2_947_735_040),
    "pfnet/plamo-3-610m-fin-instruct": (files.PLAMO3, 890_344_960),
    "microsoft/Phi-3-small-128k-instruct": (files.PHI3_SMALL, 7_392_272_384),
    "fla-hub/transformer-1.3B-100B": (files.FLA, 1_364_297_728),
    "Tiiny/SmallThinker-4BA0.6B-Instruct": (files.SMALL, 4_268_459_520),
    "fla-hub/gla-1.3B-100B": (files.GLA, 1_365_514_240),
    "fla-hub/retnet-1.3B-100B": (files.RETNET, 1_351_727_104),
    # The checkpoint holds sines and cosines of 512 positions for a head of 64, and 32 frequencies.
    "Nikity/lille-130m-base": (files.LILLE | {"block_size": 512}, 127_236_768 - 2 * 512 * 64 - 32),
    "allenai/Emo_1b14b_1T": (files.EMO, 13_568_641_024),
    # The checkpoint stores the embedding twice, and the angles of 4,096 positions.
    "tomg-group-umd/huginn-0125": (files.HUGINN, 3_911_400_096 - 65536 * 5280 - 4096 * 96),
    "Zyphra/Zamba-7B-v1": (files.ZAMBA, 7_232_490_496),
    "yandex/AliceAI-Foundation-80B-A3B-Base": (files.ALICE, 81_286_433_408),
    "moondream/moondream3-preview": ({"model_type": "moondream3", "config": {}}, 9_268_626_928),
    "ibm-granite/granite-vision-4.1-4b": (files.GRANITE, 3_997_203_904),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_checkpoint(name: str) -> None:
    config, published = PUBLISHED[name]
    shape = read_config(config)
    assert sum(tensor.elements for tensor in shape.tensors if tensor.kind != "buffer") == published


def test_gravity_s_checkpoint() -> None:
    """29,558,815,872 with corrections of 50 routers, which are buffers here as in DeepSeek's code."""
    assert read_config(files.GRAVITY).total_parameters == 29_558_815_872 - 50 * 64


JOYAI = {
    "model_type": "joyai_llm_flash",
    "hidden_size": 2048,
    "num_hidden_layers": 40,
    "intermediate_size": 7168,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "vocab_size": 129280,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "n_shared_experts": 1,
    "first_k_dense_replace": 1,
    "tie_word_embeddings": False,
    "max_position_embeddings": 131072,
}


def test_joyai_s_checkpoint() -> None:
    """jdopensource/JoyAI-LLM-Flash, sizes by radixark/miles (`scripts/models/joyai-llm-flash.py`): 49,286,094,592 with
    the corrections of 39 routers and a layer that predicts, which is dense and has an embedding of its own."""
    attention = 2048 * 1536 + 1536 + 1536 * 32 * 192 + 2048 * 576 + 512 + 512 * 32 * 256 + 32 * 128 * 2048
    predicting = attention + 3 * 2048 * 7168 + 2 * 2048 * 2048 + 5 * 2048 + 129280 * 2048
    assert read_config(JOYAI).total_parameters == 49_286_094_592 - 39 * 256 - predicting


RENAMED = Path(__file__).parents[2] / "reference" / "parameters" / "renamed.jsonl"


@pytest.mark.parametrize(
    "line", RENAMED.read_text(encoding="utf-8").splitlines(), ids=lambda line: json.loads(line)["name"]
)
def test_another_name_for_the_same_layers(line: str) -> None:
    case = json.loads(line)
    assert read_config(case["config"]).total_parameters == case["total"]


def test_what_such_a_file_has_beyond_those_is_refused() -> None:
    case = json.loads(RENAMED.read_text(encoding="utf-8").splitlines()[0])
    with pytest.raises(ConfigError, match="unknown_key"):
        read_config(case["config"] | {"sliding_window": 512, "num_experts": 8})


def cached(config: Config, tokens: int = 1000) -> int:
    workload = Workload(engine="transformers", context_tokens=tokens, kv_format="bf16")
    return estimate(read_config(config), workload).part("kv_cache").bytes


def test_a_loop_keeps_keys_and_values_for_each_pass() -> None:
    """Nanbeige 4.2: 44 caches for 22 layers (`cache_slots` in its MLX files); Ouro 4 for each layer."""
    assert cached(files.NANBEIGE) == 44 * 1000 * 2 * 8 * 128 * 2
    assert cached(files.OURO) == 4 * 24 * 1000 * 2 * 16 * 128 * 2


def test_zamba_keeps_13_layers_and_a_state_in_each() -> None:
    assert cached(files.ZAMBA) == 13 * 1000 * 2 * 7424 * 2
    held = estimate(read_config(files.ZAMBA), Workload(engine="transformers", context_tokens=1000, kv_format="bf16"))
    assert held.part("state").bytes == 76 * 7424 * (16 * 4 + 4 * 2)


def test_huginn_keeps_132_layers() -> None:
    """`effective_expected_depth`."""
    assert cached(files.HUGINN) == 132 * 1000 * 2 * 55 * 96 * 2


def test_iquest_s_second_pass_keeps_a_window() -> None:
    shape = read_config(files.IQUEST)
    assert [isinstance(mixer, SlidingWindowAttention) for mixer in shape.layers[0].mixers] == [False, True]
    assert cached(files.IQUEST) == 80 * (1000 + 64) * 2 * 8 * 128 * 2


def test_hrm_text_s_low_layers_run_more_often() -> None:
    """`HrmTextConfig.__post_init__`: 16 layers a stack, 2 x (3 + 1) passes: 128 caches."""
    assert cached(files.HRM) == 128 * 1000 * 2 * 12 * 128 * 2
    saved = files.HRM | {"num_hidden_layers": 128, "num_layers_per_stack": 16}
    assert read_config(saved).total_parameters == read_config(files.HRM).total_parameters


def test_rwkv_7_keeps_a_matrix_for_each_head_and_the_token_before() -> None:
    shape = read_config(files.rwkv7(1024, 24))
    state = estimate(shape, Workload(engine="transformers", context_tokens=1000, kv_format="bf16")).part("state")
    assert state.bytes == 24 * (16 * 64 * 64 * 4 + 2 * 1024 * 2)


@pytest.mark.parametrize(("config", "heads", "keys", "values"), [(files.GLA, 4, 256, 512), (files.RETNET, 8, 256, 512)])
def test_linear_attention_keeps_a_matrix_for_each_head(config: Config, heads: int, keys: int, values: int) -> None:
    """Whatever the context: heads of `expand_k` and `expand_v` times the model's width together."""
    for tokens in (100, 100_000):
        asked = Workload(engine="transformers", context_tokens=tokens, kv_format="bf16")
        held = estimate(read_config(config), asked)
        assert (held.part("state").bytes, held.part("kv_cache").bytes) == (24 * heads * keys * values * 4, 0)


def test_some_layers_of_such_a_file_attend_in_the_plain_way() -> None:
    """`attn` of flash-linear-attention's configs: which layers, and how many heads they have."""
    mixed = files.GLA | {"attn": {"layers": [5, 11], "num_heads": 16, "num_kv_heads": 4, "qkv_bias": False}}
    assert cached(mixed) == 2 * 1000 * 2 * 4 * 128 * 2


def test_smallthinker_has_windows_where_its_file_lists_them() -> None:
    shape = read_config(files.SMALL | {"sliding_window_layout": [0, 1] * 16, "sliding_window_size": 100})
    assert [isinstance(layer.mixers[0], SlidingWindowAttention) for layer in shape.layers] == [False, True] * 16


def test_minicpm_sala_has_a_state_in_most_layers() -> None:
    kinds = [isinstance(layer.mixers[0], LinearAttention) for layer in read_config(files.SALA).layers]
    assert kinds.count(True) == 24
    assert cached(files.SALA) == 8 * 1000 * 2 * 2 * 128 * 2


@pytest.mark.parametrize(
    ("config", "key", "reason"),
    [
        (files.SALA | {"mixer_types": ["mamba"] * 32}, "mixer_types", "unknown_layer_kind"),
        ({key: value for key, value in files.SALA.items() if key != "mixer_types"}, "mixer_types", "missing"),
        (files.NANBEIGE | {"num_loops": 1000}, "num_loops", "out_of_range"),
        (files.HRM | {"H_cycles": 64, "L_cycles": 64}, "L_cycles", "out_of_range"),  # 4,096 runs of each layer
        (files.GRANITE | {"downsample_rate": "4:8"}, "downsample_rate", "unsupported_value"),
        (files.GRANITE | {"deepstack_layer_map": None}, "deepstack_layer_map", "not_a_list"),
        (files.ALICE | {"linear_num_value_heads": 64}, "linear_num_value_heads", "unsupported_value"),
        ({key: value for key, value in files.FLA.items() if key != "hidden_ratio"}, "hidden_ratio", "missing"),
        (files.HUGINN | {"block_class_name": "Other"}, "block_class_name", "unsupported_value"),
        (
            files.GLA | {"attn": {"layers": [1], "num_heads": 16, "window_size": 512}},
            "attn.window_size",
            "unsupported_value",
        ),
        (files.GLA | {"expand_k": 0.3}, "expand_k", "does_not_divide"),
        (files.RETNET | {"num_kv_heads": 3}, "num_kv_heads", "does_not_divide"),
        (files.SMALL | {"moe_num_active_primary_experts": 40}, "moe_num_active_primary_experts", "out_of_range"),
        (files.TALKIE | {"num_experts": 8}, "num_experts", "unknown_key"),
    ],
)
def test_what_cannot_be_is_a_fault(config: Config, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(config)
    assert (raised.value.faults[0].key, raised.value.faults[0].reason) == (key, reason)


@pytest.mark.parametrize(
    "config", [files.SALA, files.NANBEIGE, files.XING], ids=lambda config: str(config["model_type"])
)
@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang"])
def test_engines_without_a_class_say_so(engine: str, config: Config) -> None:
    with pytest.raises(WorkloadError, match=r"model_not_(modelled|known|supported)|class_not_named"):
        estimate(read_config(config), Workload(engine=engine, context_tokens=1024))


@pytest.mark.parametrize("config", [files.HRM, files.IQUEST], ids=lambda config: str(config["model_type"]))
def test_vllm_keeps_a_cache_for_each_pass(config: Config) -> None:
    shape = read_config(config)
    least = cached(config) // 1000 * 4096
    held = estimate(shape, Workload(engine="vllm", context_tokens=4096, kv_format="bf16")).part("kv_cache").bytes
    assert least <= held < 2.5 * least
    with pytest.raises(WorkloadError, match="model_not_modelled"):
        estimate(shape, Workload(engine="sglang", context_tokens=4096))
