"""Model types whose code only their own repositories bring: all tensors together, those that predict included, are the
number of parameters in the published checkpoint (llmfit 1.1.17, `hf_models.json`, `parameters_raw`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.architecture.shape import LinearAttention, SlidingWindowAttention
from calculator.memory import Workload, WorkloadError, estimate

Config = dict[str, Any]


def decoder(model_type: str, hidden: int, layers: int, heads: int, kv_heads: int, size: int, words: int) -> Config:
    return {
        "model_type": model_type,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": size,
        "vocab_size": words,
        "max_position_embeddings": 65536,
        "tie_word_embeddings": False,
    }


SALA = decoder("minicpm_sala", 4096, 32, 32, 2, 16384, 73448) | {
    "mixer_types": ["minicpm4" if index % 4 == 0 else "lightning-attn" for index in range(32)],
    "head_dim": 128,
    "lightning_nh": 32,
    "lightning_nkv": 32,
    "lightning_head_dim": 128,
    "qk_norm": True,
    "use_output_gate": True,
    "use_output_norm": True,
    "attn_use_output_gate": True,
    "lightning_use_rope": True,
    "sparse_config": {"kernel_size": 32, "kernel_stride": 16, "block_size": 64, "topk": 64},
}
NANBEIGE = decoder("nanbeige", 3072, 22, 48, 8, 10752, 166144) | {"head_dim": 128, "num_loops": 2}
OURO = decoder("ouro", 2048, 24, 16, 16, 5632, 49152) | {"total_ut_steps": 4, "early_exit_threshold": 1.0}
IQUEST = decoder("iquestloopcoder", 5120, 80, 40, 8, 27648, 76800) | {"loop_num": 2, "loop_window_size": 64}
HRM = decoder("hrm_text", 1536, 16, 12, 12, 4096, 65536) | {"head_dim": 128, "H_cycles": 2, "L_cycles": 3}
XING = decoder("xing4_0", 3584, 40, 32, 32, 9216, 131072) | {
    "q_lora_rank": 768,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_routed_experts": 64,
    "n_shared_experts": 1,
    "num_experts_per_tok": 4,
    "moe_intermediate_size": 1024,
    "first_k_dense_replace": 2,
    "moe_layer_freq": 1,
    "n_group": 1,
    "topk_group": 1,
    "norm_topk_prob": True,
    "hc_mult": 4,
    "hc_sinkhorn_iters": 20,
    "hc_eps": 1e-6,
    "num_nextn_predict_layers": 1,
}
ALICE = decoder("alice_ai", 2048, 48, 16, 2, 5632, 129024) | {
    "head_dim": 256,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "moe_intermediate_size": 512,
    "shared_expert_intermediate_size": 512,
    "linear_num_key_heads": 32,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
    "block_attn_res_block_size": 4,
    "number_of_conv_states": 3,
    "mtp_num_hidden_layers": 1,
}
HUGINN = {
    "model_type": "huginn_raven",
    "n_embd": 5280,
    "n_heads": 55,
    "num_key_value_heads": 55,
    "head_dim": 96,
    "intermediate_size": 17920,
    "vocab_size": 65536,
    "padded_vocab_size": 65536,
    "n_layers": 8,
    "n_layers_in_prelude": 2,
    "n_layers_in_recurrent_block": 4,
    "n_layers_in_coda": 2,
    "injection_type": "linear",
    "mean_recurrence": 32,
    "mean_backprop_depth": 8,
    "effective_expected_depth": 132,
    "block_class_name": "SandwichBlock",
    "qk_bias": True,
    "bias": False,
    "tie_embeddings": True,
    "block_size": 4096,
}
ZAMBA = decoder("zamba", 3712, 76, 16, 16, 14848, 32000) | {
    "attention_hidden_size": 7424,
    "attention_head_dim": 464,
    "attn_layer_period": 6,
    "attn_layer_offset": 4,
    "n_mamba_heads": 2,
    "mamba_d_state": 16,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "mamba_dt_rank": 232,
    "tie_word_embeddings": True,
}
PLAMO3 = decoder("plamo3", 1536, 16, 16, 1, 6144, 107520) | {
    "head_dim": 128,
    "window_size": 2048,
    "sliding_window_pattern": 8,
    "interleaved_sliding_window": [2048 if (index + 1) % 8 else None for index in range(16)],
}
PHI3_SMALL = decoder("phi3small", 4096, 32, 32, 8, 14336, 100352) | {
    "tie_word_embeddings": True,
    "ff_intermediate_size": 14336,
    "ff_dim_multiplier": None,
    "dense_attention_every_n_layers": 2,
    "blocksparse_block_size": 64,
    "blocksparse_num_local_blocks": 16,
    "blocksparse_vert_stride": 8,
    "blocksparse_homo_head_pattern": False,
}
PHI3_SMALL = {key: value for key, value in PHI3_SMALL.items() if key != "intermediate_size"}
FLA = {
    "model_type": "transformer",
    "hidden_size": 2048,
    "num_hidden_layers": 24,
    "num_heads": 32,
    "num_kv_heads": None,
    "hidden_ratio": 4,
    "intermediate_size": None,
    "qkv_bias": False,
    "qk_norm": False,
    "window_size": None,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}
EMO = decoder("emo", 2048, 16, 16, 16, 1024, 100352) | {"num_experts": 128, "num_experts_per_tok": 8}
TALKIE = decoder("talkie", 5120, 40, 40, 40, 13696, 65540) | {"head_dim": 128}
PICO = {
    "model_type": "pico_decoder",
    "d_model": 768,
    "n_layers": 14,
    "attention_n_heads": 12,
    "vocab_size": 50000,
    "attention_n_kv_heads": 1,
    "activation_hidden_dim": 3072,
    "max_seq_len": 2048,
}
GRANITE = {
    "model_type": "granite4_vision",
    "downsample_rate": "4/8",
    "deepstack_layer_map": [[-19, 9], [-13, 6], [-7, 3], [-1, 0]],
    "spatial_target_layers": [12, 15, 18, 21],
    "text_config": decoder("granite", 2560, 40, 40, 8, 8192, 100352) | {"tie_word_embeddings": True},
    "tie_word_embeddings": True,
    "vision_config": {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "image_size": 384,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "patch_size": 16,
    },
}
GRAVITY = decoder("gravity_moe", 2048, 52, 16, 16, 8192, 151552) | {
    "kv_lora_rank": 512,
    "q_lora_rank": None,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_routed_experts": 64,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 1408,
    "first_k_dense_replace": 2,
    "norm_topk_prob": True,
}


def ovis(words: int, backbone: Config, text: Config) -> Config:
    tokenizer = {"backbone_config": backbone, "hidden_stride": 2, "tau": 1.0, "vocab_size": words}
    return {
        "model_type": "ovis",
        "hidden_size": text["hidden_size"],
        "llm_config": text,
        "multimodal_max_length": 32768,
        "visual_tokenizer_config": tokenizer | {"tokenize_function": "softmax", "drop_cls_token": False},
    }


SIGLIP = {"model_type": "siglip_vision_model", "hidden_size": 1152, "intermediate_size": 4304, "image_size": 384}
OVIS_2 = ovis(65536, {"model_type": "aimv2", "image_size": 448}, decoder("qwen2", 896, 24, 14, 2, 4864, 151936))
OVIS_1_6 = ovis(
    65536,
    SIGLIP | {"num_hidden_layers": 27, "num_attention_heads": 16, "patch_size": 14},
    decoder("gemma2", 3584, 42, 16, 8, 14336, 256000) | {"head_dim": 256, "tie_word_embeddings": True},
)
GIT = decoder("git", 768, 6, 12, 12, 3072, 30522) | {
    "max_position_embeddings": 1024,
    "vision_config": {"model_type": "git_vision_model", "image_size": 224, "patch_size": 16, "hidden_size": 768},
}


FLA_LINEAR = {key: value for key, value in FLA.items() if key not in ("qkv_bias", "qk_norm", "window_size")}
GLA = FLA_LINEAR | {"model_type": "gla", "num_heads": 4, "expand_k": 0.5, "expand_v": 1.0, "use_short_conv": False}
RETNET = FLA_LINEAR | {"model_type": "retnet", "num_heads": 8, "expand_k": 1.0, "expand_v": 2.0, "hidden_ratio": 2}
LILLE = {"model_type": "lille-130m", "n_embd": 640, "n_head": 10, "n_kv_heads": 2, "n_layer": 24, "vocab_size": 32768}


SMALL = decoder("smallthinker", 1536, 32, 12, 2, 0, 151936) | {
    "head_dim": 128,
    "moe_ffn_hidden_size": 768,
    "moe_num_primary_experts": 32,
    "moe_num_active_primary_experts": 4,
    "rope_layout": [1] * 32,
    "sliding_window_layout": [0] * 32,
    "sliding_window_size": 4096,
}
SMALL = {key: value for key, value in SMALL.items() if key != "intermediate_size"}


def rwkv7(hidden: int, layers: int) -> Config:
    sizes = {"hidden_size": hidden, "num_hidden_layers": layers, "head_dim": 64, "hidden_ratio": 4.0}
    return {"model_type": "rwkv7", "vocab_size": 65536, "norm_bias": True, "norm_first": True, "attn": None, **sizes}


PUBLISHED: dict[str, tuple[Config, int]] = {
    "openbmb/MiniCPM-SALA": (SALA, 9_477_203_968),
    "Nanbeige/Nanbeige4.2-3B": (NANBEIGE, 4_169_800_704),
    "ByteDance/Ouro-1.4B": (OURO, 1_434_652_673),
    "IQuestLab/IQuest-Coder-V1-40B-Loop-Instruct": (IQUEST, 39_794_696_320),
    "sapientinc/HRM-Text-1B": (HRM, 1_182_795_264),
    "XingChen-AGI/Xing4.0-29B-A4B": (XING, 31_215_031_088),
    "lewtun/talkie-1930-13b-it-hf": (TALKIE, 13_280_257_721),
    "Beetle-FineWeb3-24B/beetle-monolingual-fineweb3-eng": (PICO, 193_804_032),
    "AIDC-AI/Ovis2-1B": (OVIS_2, 1_267_417_974),  # its file holds the shared head once more
    "AIDC-AI/Ovis1.6-Gemma2-9B": (OVIS_1_6, 10_206_910_518),
    "microsoft/git-base": (GIT, 176_619_066),
    "fla-hub/rwkv7-0.1B-g1": (rwkv7(768, 12), 191_034_624),
    "fla-hub/rwkv7-0.4B-world": (rwkv7(1024, 24) | {"gate_low_rank_dim": 128}, 450_767_872),
    "fla-hub/rwkv7-2.9B-world": (rwkv7(2560, 32), 2_947_735_040),
    "pfnet/plamo-3-610m-fin-instruct": (PLAMO3, 890_344_960),
    "microsoft/Phi-3-small-128k-instruct": (PHI3_SMALL, 7_392_272_384),
    "fla-hub/transformer-1.3B-100B": (FLA, 1_364_297_728),
    "Tiiny/SmallThinker-4BA0.6B-Instruct": (SMALL, 4_268_459_520),
    "fla-hub/gla-1.3B-100B": (GLA, 1_365_514_240),
    "fla-hub/retnet-1.3B-100B": (RETNET, 1_351_727_104),
    # The checkpoint holds sines and cosines of 512 positions for a head of 64, and 32 frequencies.
    "Nikity/lille-130m-base": (LILLE | {"block_size": 512}, 127_236_768 - 2 * 512 * 64 - 32),
    "allenai/Emo_1b14b_1T": (EMO, 13_568_641_024),
    # The checkpoint stores the embedding twice, and the angles of 4,096 positions.
    "tomg-group-umd/huginn-0125": (HUGINN, 3_911_400_096 - 65536 * 5280 - 4096 * 96),
    "Zyphra/Zamba-7B-v1": (ZAMBA, 7_232_490_496),
    "yandex/AliceAI-Foundation-80B-A3B-Base": (ALICE, 81_286_433_408),
    "moondream/moondream3-preview": ({"model_type": "moondream3", "config": {}}, 9_268_626_928),
    "ibm-granite/granite-vision-4.1-4b": (GRANITE, 3_997_203_904),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_checkpoint(name: str) -> None:
    config, published = PUBLISHED[name]
    shape = read_config(config)
    assert sum(tensor.elements for tensor in shape.tensors if tensor.kind != "buffer") == published


def test_gravity_s_checkpoint() -> None:
    """29,558,815,872 with corrections of 50 routers, which are buffers here as in DeepSeek's code."""
    assert read_config(GRAVITY).total_parameters == 29_558_815_872 - 50 * 64


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
    assert cached(NANBEIGE) == 44 * 1000 * 2 * 8 * 128 * 2
    assert cached(OURO) == 4 * 24 * 1000 * 2 * 16 * 128 * 2


def test_zamba_keeps_13_layers_and_a_state_in_each() -> None:
    assert cached(ZAMBA) == 13 * 1000 * 2 * 7424 * 2
    held = estimate(read_config(ZAMBA), Workload(engine="transformers", context_tokens=1000, kv_format="bf16"))
    assert held.part("state").bytes == 76 * 7424 * (16 * 4 + 4 * 2)


def test_huginn_keeps_132_layers() -> None:
    """`effective_expected_depth`."""
    assert cached(HUGINN) == 132 * 1000 * 2 * 55 * 96 * 2


def test_iquest_s_second_pass_keeps_a_window() -> None:
    shape = read_config(IQUEST)
    assert [isinstance(mixer, SlidingWindowAttention) for mixer in shape.layers[0].mixers] == [False, True]
    assert cached(IQUEST) == 80 * (1000 + 64) * 2 * 8 * 128 * 2


def test_hrm_text_s_low_layers_run_more_often() -> None:
    """`HrmTextConfig.__post_init__`: 16 layers a stack, 2 x (3 + 1) passes: 128 caches."""
    assert cached(HRM) == 128 * 1000 * 2 * 12 * 128 * 2
    saved = HRM | {"num_hidden_layers": 128, "num_layers_per_stack": 16}
    assert read_config(saved).total_parameters == read_config(HRM).total_parameters


def test_rwkv_7_keeps_a_matrix_for_each_head_and_the_token_before() -> None:
    shape = read_config(rwkv7(1024, 24))
    state = estimate(shape, Workload(engine="transformers", context_tokens=1000, kv_format="bf16")).part("state")
    assert state.bytes == 24 * (16 * 64 * 64 * 4 + 2 * 1024 * 2)


@pytest.mark.parametrize(("config", "heads", "keys", "values"), [(GLA, 4, 256, 512), (RETNET, 8, 256, 512)])
def test_linear_attention_keeps_a_matrix_for_each_head(config: Config, heads: int, keys: int, values: int) -> None:
    """Whatever the context: heads of `expand_k` and `expand_v` times the model's width together."""
    for tokens in (100, 100_000):
        asked = Workload(engine="transformers", context_tokens=tokens, kv_format="bf16")
        held = estimate(read_config(config), asked)
        assert (held.part("state").bytes, held.part("kv_cache").bytes) == (24 * heads * keys * values * 4, 0)


def test_some_layers_of_such_a_file_attend_in_the_plain_way() -> None:
    """`attn` of flash-linear-attention's configs: which layers, and how many heads they have."""
    mixed = GLA | {"attn": {"layers": [5, 11], "num_heads": 16, "num_kv_heads": 4, "qkv_bias": False}}
    assert cached(mixed) == 2 * 1000 * 2 * 4 * 128 * 2


def test_smallthinker_has_windows_where_its_file_lists_them() -> None:
    shape = read_config(SMALL | {"sliding_window_layout": [0, 1] * 16, "sliding_window_size": 100})
    assert [isinstance(layer.mixers[0], SlidingWindowAttention) for layer in shape.layers] == [False, True] * 16


def test_minicpm_sala_has_a_state_in_most_layers() -> None:
    kinds = [isinstance(layer.mixers[0], LinearAttention) for layer in read_config(SALA).layers]
    assert kinds.count(True) == 24
    assert cached(SALA) == 8 * 1000 * 2 * 2 * 128 * 2


@pytest.mark.parametrize(
    ("config", "key", "reason"),
    [
        (SALA | {"mixer_types": ["mamba"] * 32}, "mixer_types", "unknown_layer_kind"),
        ({key: value for key, value in SALA.items() if key != "mixer_types"}, "mixer_types", "missing"),
        (NANBEIGE | {"num_loops": 1000}, "num_loops", "out_of_range"),
        (HRM | {"H_cycles": 64, "L_cycles": 64}, "L_cycles", "out_of_range"),  # 4,096 runs of each layer
        (GRANITE | {"downsample_rate": "4:8"}, "downsample_rate", "unsupported_value"),
        (GRANITE | {"deepstack_layer_map": None}, "deepstack_layer_map", "not_a_list"),
        (ALICE | {"linear_num_value_heads": 64}, "linear_num_value_heads", "unsupported_value"),
        ({key: value for key, value in FLA.items() if key != "hidden_ratio"}, "hidden_ratio", "missing"),
        (HUGINN | {"block_class_name": "Other"}, "block_class_name", "unsupported_value"),
        (GLA | {"attn": {"layers": [1], "num_heads": 16, "window_size": 512}}, "attn.window_size", "unsupported_value"),
        (GLA | {"expand_k": 0.3}, "expand_k", "does_not_divide"),
        (RETNET | {"num_kv_heads": 3}, "num_kv_heads", "does_not_divide"),
        (SMALL | {"moe_num_active_primary_experts": 40}, "moe_num_active_primary_experts", "out_of_range"),
        (TALKIE | {"num_experts": 8}, "num_experts", "unknown_key"),
    ],
)
def test_what_cannot_be_is_a_fault(config: Config, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(config)
    assert (raised.value.faults[0].key, raised.value.faults[0].reason) == (key, reason)


@pytest.mark.parametrize("config", [SALA, NANBEIGE, XING], ids=lambda config: str(config["model_type"]))
@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang"])
def test_engines_without_a_class_say_so(engine: str, config: Config) -> None:
    with pytest.raises(WorkloadError, match=r"model_not_(modelled|known|supported)|class_not_named"):
        estimate(read_config(config), Workload(engine=engine, context_tokens=1024))


@pytest.mark.parametrize("config", [HRM, IQUEST], ids=lambda config: str(config["model_type"]))
def test_vllm_keeps_a_cache_for_each_pass(config: Config) -> None:
    shape = read_config(config)
    least = cached(config) // 1000 * 4096
    held = estimate(shape, Workload(engine="vllm", context_tokens=4096, kv_format="bf16")).part("kv_cache").bytes
    assert least <= held < 2.5 * least
    with pytest.raises(WorkloadError, match="model_not_modelled"):
        estimate(shape, Workload(engine="sglang", context_tokens=4096))
