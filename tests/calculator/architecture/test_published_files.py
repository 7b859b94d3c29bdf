"""Files as they were published: old spellings, keys that only say how to compute, values that the class fills in.

The counts are those of the checkpoints on Hugging Face, tied tensors and buffers once.
"""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import read_config

BLOOM_7B1 = {
    "model_type": "bloom",
    "n_embed": 4096,
    "n_inner": None,
    "n_layer": 30,
    "num_attention_heads": 32,
    "seq_length": 2048,
    "skip_bias_add": True,
    "skip_bias_add_qkv": False,
    "vocab_size": 250880,
}
MINICPM_2B = {  # says nothing of tied embeddings; its own class ties them
    "model_type": "minicpm",
    "hidden_size": 2304,
    "intermediate_size": 5760,
    "max_position_embeddings": 4096,
    "num_attention_heads": 36,
    "num_hidden_layers": 40,
    "num_key_value_heads": 36,
    "vocab_size": 122753,
    "scale_emb": 12,
    "dim_model_base": 256,
    "scale_depth": 1.4,
}
FALCON_7B = {
    "model_type": "RefinedWebModel",
    "hidden_size": 4544,
    "n_head": 71,
    "n_layer": 32,
    "multi_query": True,
    "parallel_attn": True,
    "bias": False,
    "vocab_size": 65024,
}
FALCON_40B = {  # no `new_decoder_architecture` in the old files
    "model_type": "RefinedWeb",
    "hidden_size": 8192,
    "n_head": 128,
    "n_head_kv": 8,
    "n_layer": 60,
    "parallel_attn": True,
    "bias": False,
    "vocab_size": 65024,
}
JAMBA = {
    "model_type": "jamba",
    "attn_layer_offset": 4,
    "attn_layer_period": 8,
    "expert_layer_offset": 1,
    "expert_layer_period": 2,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "mamba_conv_bias": True,
    "mamba_d_conv": 4,
    "mamba_d_state": 16,
    "mamba_dt_rank": 256,
    "mamba_expand": 2,
    "mamba_inner_layernorms": True,
    "mamba_proj_bias": False,
    "n_ctx": 262144,
    "num_attention_heads": 32,
    "num_experts": 16,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "vocab_size": 65536,
}
MAMBA_2_8B = {
    "model_type": "mamba",
    "conv_kernel": 4,
    "d_inner": 5120,
    "d_model": 2560,
    "expand": 2,
    "hidden_size": 2560,
    "intermediate_size": 5120,
    "n_layer": 64,
    "num_hidden_layers": 64,
    "rms_norm": True,
    "ssm_cfg": {},
    "state_size": 16,
    "time_step_rank": 160,
    "use_bias": False,
    "use_conv_bias": True,
    "vocab_size": 50280,
}
RECURRENT_GEMMA_2B = {
    "model_type": "recurrent_gemma",
    "_block_types": ["recurrent", "recurrent", "attention"] * 8 + ["recurrent", "recurrent"],
    "attention_window_size": 2048,
    "block_types": ["recurrent", "recurrent", "attention"],
    "conv1d_width": 4,
    "embeddings_scale_by_sqrt_dim": True,
    "head_dim": 256,
    "hidden_size": 2560,
    "intermediate_size": 15360,
    "lru_width": 2560,
    "num_attention_heads": 10,
    "num_hidden_layers": 26,
    "num_key_value_heads": 1,
    "vocab_size": 256000,
}
APERTUS_8B = {
    "model_type": "apertus",
    "hidden_size": 4096,
    "intermediate_size": 21504,
    "max_position_embeddings": 65536,
    "mlp_bias": False,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "post_norm": False,
    "qk_norm": True,
    "tie_word_embeddings": False,
    "vocab_size": 131072,
}
LFM2_VL_450M = {
    "model_type": "lfm2-vl",
    "do_image_splitting": True,
    "downsample_factor": 2,
    "encoder_patch_size": 16,
    "max_num_patches": 1024,
    "projector_bias": True,
    "projector_hidden_size": 2560,
    "text_config": {
        "model_type": "lfm2",
        "block_auto_adjust_ff_dim": True,
        "block_dim": 1024,
        "block_ff_dim": 6656,
        "block_ffn_dim_multiplier": 1.0,
        "block_multiple_of": 256,
        "block_use_swiglu": True,
        "conv_L_cache": 3,
        "conv_bias": False,
        "conv_dim": 1024,
        "conv_dim_out": 1024,
        "full_attn_idxs": [2, 5, 8, 10, 12, 14],
        "hidden_size": 1024,
        "num_attention_heads": 16,
        "num_heads": 16,
        "num_hidden_layers": 16,
        "num_key_value_heads": 8,
        "vocab_size": 65536,
    },
    "tile_size": 512,
    "vision_config": {
        "model_type": "siglip2_vision_model",
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_attention_heads": 12,
        "num_channels": 3,
        "num_hidden_layers": 12,
        "num_patches": 256,
        "patch_size": 16,
        "vision_use_head": False,
    },
}


@pytest.mark.parametrize(
    ("config", "total"),
    [
        pytest.param(BLOOM_7B1, 7_069_016_064, id="bloom-7b1"),
        pytest.param(MINICPM_2B, 2_724_880_896, id="MiniCPM-2B"),
        pytest.param(FALCON_7B, 6_921_720_704, id="falcon-7b"),
        pytest.param(FALCON_40B, 41_303_293_952, id="falcon-40b"),
        pytest.param(JAMBA, 51_570_323_328, id="Jamba-v0.1"),
        pytest.param(MAMBA_2_8B, 2_768_345_600, id="mamba-2.8b-hf"),
        pytest.param(RECURRENT_GEMMA_2B, 2_682_862_080, id="recurrentgemma-2b"),
        pytest.param(APERTUS_8B, 8_053_338_176, id="Apertus-8B-2509"),
        pytest.param(LFM2_VL_450M, 450_822_656, id="LFM2-VL-450M"),
    ],
)
def test_published_files_are_read_as_they_are(config: dict[str, Any], total: int) -> None:
    assert read_config(config).total_parameters == total
