"""Files with NVIDIA's RADIO, with SigLIP 2 for images of any size, with adapters, and others: all tensors together are
the number of parameters in the published checkpoint (llmfit 1.1.17, `hf_models.json`, `parameters_raw`)."""

from __future__ import annotations

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.memory import Workload, WorkloadError, estimate
from tests.calculator.architecture.code_files import Config, decoder
from tests.calculator.architecture.encoder_files import OVIS
from tests.calculator.memory.shapes import catalogued_config


def radio(multiple: int, *teachers: str, **more: object) -> Config:
    recipe = {"model": "vit_huge_patch16_224", "cpe_max_size": 2048, "register_multiple": multiple}
    named = {"cls_token_per_teacher": True, "teachers": [{"name": name} for name in teachers]}
    return {"args": {**recipe, **named}, "patch_size": 16, "max_resolution": 2048, **more}


PARAKEET: Config = {
    "model_type": "parakeet",
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 8,
    "intermediate_size": 4096,
    "conv_kernel_size": 9,
    "num_mel_bins": 128,
    "subsampling_conv_channels": 256,
    "subsampling_factor": 8,
    "subsampling_conv_kernel_size": 3,
    "subsampling_conv_stride": 2,
    "projection_hidden_size": 4096,
    "projection_bias": False,
    "convolution_bias": False,
    "sampling_rate": 16000,
}
OMNI: Config = {
    "model_type": "NemotronH_Nano_Omni_Reasoning_V3",
    "llm_config": catalogued_config("nvidia/nvidia-nemotron-3-nano-30b-a3b-bf16"),
    "vision_config": radio(10, "siglip2-g", "dino_v3", "sam3", video_temporal_patch_size=2),
    "sound_config": PARAKEET,
    "downsample_ratio": 0.5,
    "projector_hidden_size": 20480,
    "vit_hidden_size": 1280,
    "force_image_size": 512,
    "patch_size": 16,
}
PARSE: Config = {
    "model_type": "nemotron_parse",
    "image_size": [2048, 1664],
    "vocab_size": 72256,
    "max_sequence_length": 9000,
    "tie_word_embeddings": True,
    "encoder": radio(8, "clip", "siglip", "dino_v2", "sam"),
    "decoder": {
        "model_type": "nemotron_parse_text",
        "d_model": 1024,
        "decoder_layers": 10,
        "decoder_attention_heads": 16,
        "decoder_ffn_dim": 4096,
        "scale_embedding": True,
        "vocab_size": 72256,
        "encoder_layers": 12,
    },
}
QWEN3_30B = decoder("qwen3_moe", 2048, 48, 32, 4, 6144, 151936) | {
    "head_dim": 128,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "norm_topk_prob": True,
}
QWEN3_600M = decoder("qwen3", 1024, 28, 16, 8, 3072, 151936) | {"head_dim": 128, "tie_word_embeddings": True}
SIGLIP = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "num_channels": 3,
    "patch_size": 16,
}
ISAAC = decoder("isaac", 2048, 28, 16, 8, 6144, 151936) | {
    "head_dim": 128,
    "vision_config": SIGLIP
    | {"model_type": "pixel_shuffle_siglip2", "num_patches": 256, "pixel_shuffle_scale_factor": 2, "image_size": 256},
}


def youtu(hidden: int, layers: int, heads: int, inner: int, words: int) -> Config:
    merged = {"out_hidden_size": hidden, "spatial_merge_size": 2, "num_patches": 4096, "window_size": 256}
    latent = {"kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64}
    return decoder("youtu_vl", hidden, layers, heads, heads, inner, words) | {
        "tie_word_embeddings": True,
        "v_head_dim": 128,
        "vision_config": SIGLIP | merged | {"model_type": "siglip2_vision_model"},
        **latent,
    }


PHI_4 = decoder("phi4-siglip", 5120, 40, 40, 10, 17920, 100352) | {
    "mm_hidden_size": 1152,
    "mm_projector_type": "mlp2x_gelu",
    "mm_vision_select_layer": -2,
    "min_num_patches": 256,
    "max_num_patches": 3600,
    "vision_config": SIGLIP | {"model_type": "siglip2_vision_model", "num_patches": 256},
}
ZAYA: Config = {
    "model_type": "zaya1_vl",
    "hidden_size": 2048,
    "ffn_hidden_size": 4096,
    "num_hidden_layers": 40,
    "num_experts": 16,
    "moe_router_topk": 1,
    "zaya_mlp_expansion": 256,
    "num_attention_heads": 8,
    "num_query_groups": 2,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "vocab_size": 262272,
    "max_position_embeddings": 32768,
    "tie_word_embeddings": True,
    "cca": True,
    "cca_time0": 2,
    "cca_time1": 2,
    "vision_lora": True,
    "vision_lora_rank_attn": 8,
    "vision_lora_rank_mlp": 32,
    "swa_layers": None,
    "vision_config": {
        "model_type": "qwen2_5_vl",
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "out_hidden_size": 2048,
        "in_chans": 3,
        "spatial_patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 1,
        "window_size": 112,
    },
}


def switch(hidden: int, layers: int, heads: int, head_dim: int, inner: int) -> Config:
    """Twelve adapters whose widest has a rank of 32: in all three checkpoints what is beyond Granite's own tensors is
    384 times the widths of its matrices."""
    adapters = {"num_adapters": 12, "max_lora_rank": 32, "adapter_ranks": [32] * 12, "control_dims": 32}
    return decoder("granite_switch", hidden, layers, heads, 8, inner, 100364) | {
        "head_dim": head_dim,
        "shared_intermediate_size": inner,
        "num_local_experts": 0,
        "layer_types": ["attention"] * layers,
        "tie_word_embeddings": True,
        "adapter_token_ids": list(range(100352, 100364)),
        **adapters,
    }


LITE: Config = {
    "model_type": "longcat_flash_ngram",
    "hidden_size": 3072,
    "ffn_hidden_size": 6144,
    "expert_ffn_hidden_size": 1024,
    "moe_topk": 12,
    "n_routed_experts": 256,
    "zero_expert_num": 128,
    "zero_expert_type": "identity",
    "num_layers": 14,
    "vocab_size": 131072,
    "max_position_embeddings": 327680,
    "num_attention_heads": 32,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
    "ngram_vocab_size_ratio": 78,
    "emb_neighbor_num": 4,
    "emb_split_num": 4,
}

# Of 24 norms of Parakeet the mean and variance; a filter of 128 bands over 257 frequencies and its window of 400;
# means and deviations of three colours: all of them constants.
HEARD_AND_SEEN = 24 * 2 * 1024 + 128 * 257 + 400 + 6
PUBLISHED: dict[str, tuple[Config, int]] = {
    # Corrections of 23 routers are buffers here.
    "unsloth/NVIDIA-Nemotron-3-Nano-Omni-30B-A3B-Reasoning": (OMNI, 33_015_632_214 - HEARD_AND_SEEN - 23 * 128),
    "nvidia/NVIDIA-Nemotron-Parse-2.0": (PARSE, 903_049_225 - 6 - 3),  # and which three classes are read
    "AIDC-AI/Ovis2.6-30B-A3B": (
        OVIS | {"model_type": "ovis2_6_moe", "hidden_size": 2048, "llm_config": QWEN3_30B},
        31_381_977_320,
    ),
    "ATH-MaaS/Ovis2.6-80B-A3B": (
        OVIS
        | {
            "model_type": "ovis2_6_next",
            "hidden_size": 2048,
            "llm_config": {
                key: value
                for key, value in catalogued_config("qwen/qwen3-next-80b-a3b-instruct").items()
                if key != "num_nextn_predict_layers"
            },
        },
        80_524_245_992,
    ),
    "ATH-MaaS/OvisOCR": (
        OVIS | {"model_type": "ovis2_6", "hidden_size": 1024, "llm_config": QWEN3_600M},
        1_378_795_752,
    ),
    "PerceptronAI/Isaac-0.2-2B-Preview": (ISAAC, 2_567_073_008),
    "tencent/Youtu-VL-4B-Instruct": (youtu(2560, 40, 32, 9728, 283386), 5_340_551_024),
    "mlx-community/LongCat-Flash-Lite-8bit": (LITE, 68_562_459_648),  # without the layer that predicts
    "microsoft/Phi-4-reasoning-vision-15B": (PHI_4, 15_119_518_144),
    "Zyphra/ZAYA1-VL-8B": (ZAYA, 9_722_232_312 - 40 * 17),  # less corrections of routers, buffers here
    "ibm-granite/granite-switch-4.1-3b-preview": (switch(2560, 41, 40, 64, 8192), 4_149_977_600),
    "ibm-granite/granite-switch-4.1-8b-preview": (switch(4096, 41, 32, 128, 12800), 9_568_112_640),
    "ibm-granite/granite-switch-4.1-30b-preview": (switch(4096, 65, 32, 128, 32768), 32_237_998_080),
    "tencent/Youtu-Parsing": (youtu(2048, 32, 16, 6144, 182646), 2_515_984_240),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_checkpoint(name: str) -> None:
    config, published = PUBLISHED[name]
    shape = read_config(config)
    assert sum(tensor.elements for tensor in shape.tensors if tensor.kind != "buffer") == published


def test_nemotron_parse_keeps_what_it_saw() -> None:
    """3,329 positions of a page of 2,048 x 1,664 (128 x 104 patches, four in a row joined, and one for the whole), in
    ten layers beside what is written."""
    shape = read_config(PARSE)
    assert (shape.positions_seen, shape.context_tokens) == (3329, 9000)
    held = estimate(shape, Workload(engine="transformers", context_tokens=9000, kv_format="bf16")).part("kv_cache")
    assert held.bytes == 10 * 2 * 1024 * 2 * (9000 + 3329)


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_tables_of_n_grams_are_split_like_a_vocabulary(engine: str) -> None:
    """`NgramEmbedding` of both: one `VocabParallelEmbedding` of all tables. Twice as large ones take as much more on
    four ranks as on one, but for a row of each table on each rank."""
    shapes = [read_config(LITE | {"ngram_vocab_size_ratio": ratio}) for ratio in (39, 78)]
    more = [
        large - small
        for small, large in (
            [
                estimate(shape, Workload(engine=engine, context_tokens=8192, tensor_parallel=ranks))
                .part("weights")
                .bytes
                for shape in shapes
            ]
            for ranks in (1, 4)
        )
    ]
    assert more[0] == 12 * 39 * 131072 * 256 * 2
    assert abs(more[1] - more[0]) <= 12 * 4 * 256 * 2


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "sglang"])
def test_adapters_are_held_by_transformers_alone(engine: str) -> None:
    """llama.cpp converts Granite Switch with one adapter more, which was not read."""
    with pytest.raises(WorkloadError, match=r"model_not_(modelled|known|supported)"):
        estimate(read_config(switch(2560, 41, 40, 64, 8192)), Workload(engine=engine, context_tokens=1024))


def test_granite_switch_keeps_more_of_a_token() -> None:
    """`expanded_head_dim`: 64 and 32 numbers of each key and value in 40 layers, and one head in the layer that tells
    which adapter a token takes; 64 alone where control tokens are exchanged, and no such layer without adapters."""
    config = switch(2560, 41, 40, 64, 8192)
    exchanged = config | {"adapter_substitute_token_ids": [100264] * 12}
    alone = config | {"num_adapters": 0}

    def kept(asked: Config) -> int:
        workload = Workload(engine="transformers", context_tokens=1000, kv_format="bf16")
        return estimate(read_config(asked), workload).part("kv_cache").bytes

    assert kept(config) == 1000 * 2 * 2 * (40 * 8 + 1) * (64 + 32)
    assert kept(exchanged) == 1000 * 2 * 2 * (40 * 8 + 1) * 64
    assert kept(alone) == 1000 * 2 * 2 * 41 * 8 * 64


def test_heads_beside_the_output_of_nemotron_parse() -> None:
    """Two maps each, with biases: `extra_heads` and `extra_proj` of NVIDIA's NeMo-Automodel."""
    more = read_config(PARSE | {"num_extra_heads": 3}).total_parameters - read_config(PARSE).total_parameters
    assert more == 3 * 2 * 1025 * 1024


@pytest.mark.parametrize(
    ("config", "key", "reason"),
    [
        (OMNI | {"vision_config": {"patch_size": 16}}, "vision_config.args", "missing"),
        (OMNI | {"vision_config": {"args": {"model": "vit_giant"}}}, "vision_config.args.model", "unsupported_value"),
        (OMNI | {"sound_config": PARAKEET | {"subsampling_factor": 6}}, "sound_config.subsampling_factor", None),
        (OMNI | {"vision_config": radio(2**20)}, "vision_config.args.teachers", "not_a_list"),
        ({key: value for key, value in PARSE.items() if key != "encoder"}, "encoder", "missing"),
        (ZAYA | {"swa_layers": [0, 1]}, "swa_layers", "unsupported_value"),
        (PHI_4 | {"mm_projector_type": "linear"}, "mm_projector_type", "unsupported_value"),
        (switch(2560, 41, 40, 64, 8192) | {"ms_code_m": 6}, "ms_code_m", "unsupported_value"),
        (switch(2560, 41, 40, 64, 8192) | {"adapter_ranks": [32]}, "adapter_ranks", "wrong_length"),
        (switch(2560, 41, 40, 64, 8192) | {"lora_target_modules": ["router"]}, "lora_target_modules", None),
        (PARSE | {"image_size": [2048, 1664, 3]}, "image_size", "wrong_length"),
    ],
)
def test_what_cannot_be_is_a_fault(config: Config, key: str, reason: str | None) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(config)
    assert raised.value.key == key
    assert raised.value.reason == (reason or "unsupported_value")
