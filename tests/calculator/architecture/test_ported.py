"""Files that bring code of their own, which was read in the publisher's classes for an engine or in ports of it.

Totals: the parameters of the published checkpoints (llmfit 1.1.17, `hf_models.json`, `parameters_raw`), multi-token
prediction included where the checkpoint has it.
"""

from __future__ import annotations

import pytest

from calculator.architecture import ConfigError, families, read_config
from calculator.architecture.shape import SlidingWindowAttention
from calculator.memory import Workload, estimate
from calculator.memory.engines import engines_for
from tests.calculator.architecture.ported_files import (
    AGNES,
    FAST,
    FASTVIT,
    HUNYUAN,
    KLYRA,
    LIMITE,
    MOBILE,
    MOTIF,
    MOTIF_2,
    MOTIF_3,
    NANDI,
    OLMO,
    OLMO_7B,
    PUZZLE,
    Config,
)
from tests.calculator.memory.shapes import catalogued_config

PUBLISHED: dict[str, tuple[Config, int]] = {
    "Motif-Technologies/Motif-2.6B": (MOTIF, 2_597_218_432),
    "Motif-Technologies/Motif-2-12.7B-Base": (MOTIF_2, 12_703_860_896),
    "Motif-Technologies/Motif-3": (MOTIF_3, 314_841_775_750),
    "FrontiersMind/Nandi-Mini-150M-GuardRails": (NANDI, 153_412_928),
    "facebook/MobileMoE-S-Base": (MOBILE, 1_263_374_256),
    "paradigma-inc/limite-1b-violetto": (LIMITE, 1_035_253_888),
    "allenai/OLMo-1B": (OLMO, 1_176_764_416),
    "allenai/OLMo-7B": (OLMO_7B, 6_888_095_744),
    "tencent/Hunyuan-A13B-Instruct-GPTQ-Int4": (HUNYUAN, 80_393_183_232),
    "KamilaMila/FastVLM-7B": (FAST, 7_762_651_744),
    "Jahirrrr/Klyra-64M-Base": (KLYRA, 68_827_392),
    "0xKitkat/Agnes-3.0-Flash-abliterated": (AGNES, 33_090_501_680),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_checkpoint(name: str) -> None:
    config, published = PUBLISHED[name]
    assert sum(tensor.elements for tensor in read_config(config).tensors if tensor.kind != "buffer") == published


def test_gigachat_s_prediction_layer() -> None:
    """The checkpoint has one layer more than the base's: 433,747,019,520 - 433,086,331,648 parameters."""
    config = {
        "model_type": "gigachat3_5",
        "vocab_size": 128256,
        "hidden_size": 7168,
        "intermediate_size": 18432,
        "moe_intermediate_size": 2048,
        "num_hidden_layers": 2,
        "num_attention_heads": 64,
        "q_lora_rank": 1536,
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "n_routed_experts": 256,
        "n_shared_experts": 1,
        "num_experts_per_tok": 8,
        "first_k_dense_replace": 1,
        "layer_types": ["linear_attention", "full_attention"],
        "linear_conv_kernel_dim": 4,
        "linear_key_head_dim": 128,
        "linear_value_head_dim": 128,
        "linear_num_key_heads": 32,
        "linear_num_value_heads": 64,
        "norm_type": "ZeroCenteredGatedNorm",
        "layernorm_type": "pre_post",
        "gated_attention": True,
        "num_nextn_predict_layers": 1,
    }
    assert sum(tensor.elements for tensor in read_config(config).tensors if tensor.part == "mtp") == 660_687_872


def test_motif_3_keeps_windows_but_in_each_fourth_layer() -> None:
    shape = read_config(MOTIF_3)
    windowed = [isinstance(layer.mixers[0], SlidingWindowAttention) for layer in shape.layers]
    assert [index for index, one in enumerate(windowed) if not one] == list(range(0, 53, 4))


def test_motif_3_s_window_is_what_lies_before_a_token() -> None:
    """`sliding_window` + 1 keys, the token's own among them (the publisher's notes on its class for vLLM, and the ports
    to MLX and to Tenstorrent's chips); 16 heads of 192 and 128 numbers are kept, not the latent of 512 + 64."""
    shape = read_config(catalogued_config("motif/motif-3"))
    held = estimate(shape, Workload(engine="transformers", context_tokens=4096, kv_format="bf16")).part("kv_cache")
    assert held.bytes == (14 * 4096 + 39 * 129) * 16 * (192 + 128) * 2


def test_motif_3_may_have_windows_everywhere() -> None:
    shape = read_config(MOTIF_3 | {"sliding_window_pattern": "all"})
    assert all(isinstance(layer.mixers[0], SlidingWindowAttention) for layer in shape.layers)


def test_nandi_keeps_each_pass() -> None:
    held = estimate(read_config(NANDI), Workload(engine="transformers", context_tokens=100, kv_format="bf16"))
    assert held.part("kv_cache").bytes == 2 * 16 * 100 * 2 * 4 * 52 * 2


def test_glm_sees_with_kimi_s_encoder() -> None:
    """vLLM's `glm5v`: MoonViT and GLM-5.2, each as in its own file."""
    text = catalogued_config("zhipu/glm-5-2")
    vision: Config = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27}
    vision |= {"patch_size": 14, "num_attention_heads": 16, "merge_kernel_size": [2, 2]}
    seeing = read_config({"model_type": "glm5v", "text_config": text, "vision_config": vision})
    alone = read_config(text)
    assert sum(tensor.elements for tensor in seeing.tensors_of("text")) == sum(
        tensor.elements for tensor in alone.tensors_of("text")
    )
    assert sum(tensor.elements for tensor in seeing.tensors_of("vision")) > 400_000_000


def puzzle(*blocks: Config) -> Config:
    return PUZZLE | {"block_configs": list(blocks)}


def test_a_puzzle_s_blocks_differ_from_the_file() -> None:
    """Without changes it is Nemotron-H's; four experts fewer are 4 x (2 x 64 x 32 + 64) numbers fewer."""
    kinds: list[Config] = [{"block_type": word} for word in ("mamba", "moe", "attention", "moe")]
    plain = read_config(PUZZLE | {"model_type": "nemotron_h", "hybrid_override_pattern": "ME*E"})
    assert read_config(puzzle(*kinds)).total_parameters == plain.total_parameters
    kinds[1]["n_routed_experts"] = 4
    assert plain.total_parameters - read_config(puzzle(*kinds)).total_parameters == 4 * (2 * 64 * 32 + 64)


@pytest.mark.parametrize(
    ("config", "key", "reason"),
    [
        (puzzle({"block_type": "wheel"}), "block_type", "unknown_layer_kind"),
        (PUZZLE | {"block_configs": []}, "block_configs", "out_of_range"),
        (PUZZLE | {"block_configs": [1]}, "block_configs", "not_a_list"),
        (PUZZLE, "block_configs", "not_a_list"),
        (MOTIF | {"hidden_act": "silu"}, "hidden_act", "unsupported_value"),
        (MOTIF | {"num_noise_heads": 100}, "num_noise_heads", "out_of_range"),
        (MOTIF_3 | {"sliding_window_pattern": "odd"}, "sliding_window_pattern", "unsupported_value"),
        (MOTIF_3 | {"num_noise_heads": 80}, "num_noise_heads", "out_of_range"),
        (MOTIF_3 | {"qk_rope_head_dim": 256}, "qk_rope_head_dim", "out_of_range"),
        (NANDI | {"qk_norm": True}, "qk_norm", "unknown_key"),
        (NANDI | {"layer_sharing_repeats": 65}, "layer_sharing_repeats", "out_of_range"),
        (MOBILE | {"interleave_moe_layer_step": 2}, "interleave_moe_layer_step", "unsupported_value"),
        (LIMITE | {"mlp_type": "x"}, "mlp_type", "unsupported_value"),
        (OLMO | {"alibi": True}, "alibi", "unsupported_value"),
        (
            FAST | {"vision_config": FASTVIT | {"architecture": "vit"}},
            "vision_config.architecture",
            "unsupported_value",
        ),
    ],
)
def test_what_is_not_read_is_named(config: Config, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(config)
    assert (raised.value.faults[0].key, raised.value.faults[0].reason) == (key, reason)


@pytest.mark.parametrize("name", ["Motif-Technologies/Motif-3", "paradigma-inc/limite-1b-violetto"])
def test_no_engine_runs_what_it_has_no_class_for(name: str) -> None:
    assert "vllm" not in engines_for(read_config(PUBLISHED[name][0]))


def test_no_type_has_two_rules() -> None:
    names = [name for module in families._MODULES for name in module.FAMILIES]
    assert sorted(names) == sorted(set(names))


def test_kinds_of_layers_that_no_rule_gives_are_needed() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config({key: value for key, value in MOBILE.items() if key != "layer_types"})
    assert (caught.value.key, caught.value.reason) == ("layer_types", "missing")


def test_agnes_without_a_layer_that_attends() -> None:
    """Every fourth layer does, unless the file says which (vLLM's class): of three layers none is like a predicting
    one."""
    text = {key: value for key, value in AGNES["text_config"].items() if key != "layer_types"}
    shape = read_config(AGNES | {"text_config": text | {"num_hidden_layers": 3}})
    assert [type(mixer).__name__ for layer in shape.layers for mixer in layer.mixers] == ["LinearAttention"] * 3
    assert (shape.mtp_mixers, shape.undescribed_mtp) == ((), 1)
