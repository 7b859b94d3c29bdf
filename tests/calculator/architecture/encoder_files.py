"""Files with encoders whose code only their own repositories bring, as published, less what tells nothing of sizes."""

from __future__ import annotations

from tests.calculator.architecture.code_files import Config, decoder
from tests.calculator.memory.shapes import catalogued_config

SIGLIP = {
    "model_type": "siglip_vision_model",
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 448,
    "patch_size": 14,
}
QWEN3_8B = decoder("qwen3", 4096, 36, 32, 8, 12288, 151936) | {"head_dim": 128}
EAGLE_2B: Config = {
    "model_type": "eagle_2_5_vl",
    "text_config": decoder("qwen2", 1536, 28, 12, 2, 8960, 151674),
    "vision_config": SIGLIP,
    "downsample_ratio": 0.5,
    "force_image_size": 448,
    "mlp_connector_layers": 2,
    "select_layer": -1,
    "use_pixel_shuffle": True,
}
EAGLE_1B = EAGLE_2B | {"text_config": decoder("qwen2", 896, 24, 14, 2, 4864, 151674)}
EAGLE_8B = EAGLE_2B | {"text_config": decoder("qwen2", 3584, 28, 28, 4, 18944, 151676)}
LOCATE: Config = {
    "model_type": "locateanything",
    "text_config": decoder("qwen2", 2048, 36, 16, 2, 11008, 152681),
    "vision_config": {
        "model_type": "moonvit",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "patch_size": 14,
        "init_pos_emb_height": 64,
        "init_pos_emb_width": 64,
        "merge_kernel_size": [2, 2],
    },
    "mlp_connector_layers": 2,
}
LOCATE_TIED = LOCATE | {"text_config": LOCATE["text_config"] | {"tie_word_embeddings": True}}
NVLM: Config = {
    "model_type": "NVLM_D",
    "llm_config": decoder("qwen2", 8192, 80, 64, 8, 29568, 152064),
    "vision_config": {
        "model_type": "intern_vit_6b",
        "hidden_size": 3200,
        "intermediate_size": 12800,
        "num_hidden_layers": 45,
        "num_attention_heads": 25,
        "num_dummy_heads": 7,
        "image_size": 448,
        "patch_size": 14,
        "qk_normalization": True,
        "qkv_bias": False,
    },
    "downsample_ratio": 0.5,
    "dynamic_image_size": True,
    "force_image_size": 448,
    "select_layer": -1,
}
BEE: Config = {
    "model_type": "Bee",
    "text_config": QWEN3_8B | {"vocab_size": 152000},
    "vision_config": SIGLIP | {"num_hidden_layers": 26, "image_size": 384, "vision_use_head": False},
    "image_grid_pinpoints": [[384, 384]],
    "tie_word_embeddings": False,
}
R_4B: Config = {
    "model_type": "R",
    "text_config": decoder("qwen3", 2560, 36, 32, 8, 9728, 152000) | {"head_dim": 128},
    "vision_config": SIGLIP | {"num_hidden_layers": 26, "image_size": 384, "vision_use_head": False},
}
FIRST_DEEPSEEK: Config = {
    "model_type": "multi_modality",
    "language_config": decoder("llama", 2048, 24, 16, 16, 5632, 102400),
    "vision_config": {
        "cls": "CLIPVisionTower",
        "model_type": "vision",
        "params": {"image_size": 384, "model_name": "siglip_large_patch16_384", "select_feature": "same"},
    },
    "aligner_config": {"cls": "MlpProjector", "model_type": "aligner", "params": {"depth": 2, "n_embed": 2048}},
}
OVIS: Config = {
    "model_type": "ovis2_5",
    "hidden_size": 4096,
    "llm_config": QWEN3_8B,
    "vit_config": SIGLIP
    | {"model_type": "siglip2_navit", "image_size": 512, "patch_size": 16, "hidden_stride": 2, "num_patches": -1}
    | {"preserve_original_pe": True, "fullatt_block_indexes": None, "window_size": 112, "temporal_patch_size": 1},
    "visual_vocab_size": 65536,
}
QWEN3_2B = decoder("qwen3", 2048, 28, 16, 8, 6144, 151936) | {"head_dim": 128, "tie_word_embeddings": True}
OVIS_2B = OVIS | {"hidden_size": 2048, "llm_config": QWEN3_2B}
OPENCUA: Config = {
    "model_type": "opencua",
    "text_config": decoder("qwen2", 3584, 28, 28, 4, 18944, 152064),
    "vision_config": {
        "model_type": "qwen2_5_vl",
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "depth": 32,
        "num_heads": 16,
        "out_hidden_size": 3584,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "window_size": 112,
        "fullatt_block_indexes": [7, 15, 23, 31],
    },
}
STEP_10B: Config = {
    "model_type": "step_robotics",
    "text_config": QWEN3_8B,
    "vision_config": {
        "model_type": "perception_encoder",
        "width": 1536,
        "layers": 47,
        "heads": 16,
        "mlp_ratio": 8960 / 1536,
        "image_size": 728,
        "patch_size": 14,
        "ls_init_value": 0.1,
        "use_abs_posemb": True,
        "use_cls_token": False,
        "use_ln_pre": True,
        "use_ln_post": False,
        "use_rope2d": True,
    },
    "projector_bias": False,
    "understand_projector_stride": 2,
}
STEP3: Config = {
    "model_type": "step3_vl",
    "hidden_size": 7168,
    "text_config": {
        "model_type": "step3_text",
        "hidden_size": 7168,
        "intermediate_size": 18432,
        "num_attention_heads": 64,
        "num_attention_groups": 1,
        "num_hidden_layers": 61,
        "max_position_embedding": 65536,
        "vocab_size": 128815,
        "moe_intermediate_size": 5120,
        "moe_num_experts": 48,
        "moe_top_k": 3,
        "share_expert_dim": 5120,
        "share_q_dim": 2048,
        "head_dim": 256,
        "norm_expert_weight": False,
        "moe_layers_enum": ",".join(map(str, range(4, 60))),
    },
    "vision_config": {
        "model_type": "step3_vision_encoder",
        "hidden_size": 1792,
        "intermediate_size": 15360,
        "output_hidden_size": 4096,
        "num_hidden_layers": 63,
        "num_attention_heads": 16,
        "image_size": 728,
        "patch_size": 14,
    },
    "projector_bias": False,
    "understand_projector_stride": 2,
    "tie_word_embeddings": False,
}
ONEVISION = {
    "model_type": "llava_onevision2_vision",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "patch_size": 14,
    "spatial_merge_size": 2,
    "frame_windows_size": 4,
}
LLAVA: Config = {"model_type": "llava_onevision2", "text_config": QWEN3_8B, "vision_config": ONEVISION}
MAGE: Config = {
    "model_type": "mage_vl",
    "text_config": decoder("qwen3", 2560, 36, 32, 8, 9728, 151936) | {"head_dim": 128},
    "vision_config": ONEVISION | {"patch_size": 16, "out_hidden_size": 2560},
}
READER = {
    "hidden_size": 1280,
    "intermediate_size": 6848,
    "moe_intermediate_size": 896,
    "n_routed_experts": 64,
    "n_shared_experts": 2,
    "num_experts_per_tok": 6,
    "num_attention_heads": 10,
    "num_key_value_heads": 10,
    "num_hidden_layers": 12,
    "vocab_size": 129280,
    "max_position_embeddings": 8192,
}
OCR2: Config = {
    "model_type": "deepseek_ocr2",
    "text_config": READER
    | {"model_type": "deepseek_ocr2_text", "mlp_layer_types": ["dense"] + ["sparse"] * 11, "topk_method": "greedy"},
    "vision_config": {
        "model_type": "deepseek_ocr2_vision",
        "sam_config": {"model_type": "deepseek_ocr2_sam_vision_model"},
        "encoder_config": {
            "model_type": "deepseek_ocr2_encoder",
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_attention_heads": 14,
            "num_hidden_layers": 24,
            "num_key_value_heads": 2,
        },
    },
}
OCR2_CODE: Config = {
    "model_type": "deepseek_vl_v2",
    "architectures": ["DeepseekOCR2ForCausalLM"],
    "language_config": READER
    | {"model_type": "deepseek_v2", "first_k_dense_replace": 1, "use_mla": False, "q_lora_rank": None}
    | {"kv_lora_rank": None, "qk_nope_head_dim": 0, "qk_rope_head_dim": 0, "v_head_dim": 0},
    "projector_config": {"input_dim": 896, "n_embed": 1280, "projector_type": "linear"},
    "vision_config": {"model_type": "vision", "width": {"qwen2-0-5b": {"dim": 896}}},
    "tile_tag": "2D",
}
LING: Config = {
    "model_type": "bailing_moe_v3_vl",
    "text_config": catalogued_config("inclusionai/ling-3-0-flash") | {"num_nextn_predict_layers": 0},
    "mrope_section": [12, 10, 10],
}
FUYU: Config = decoder("fuyu", 4096, 36, 64, 64, 16384, 262144) | {
    "image_size": 300,
    "patch_size": 30,
    "num_channels": 3,
    "qk_layernorm": True,
}
MINIMAX: Config = {
    "model_type": "minimax_vl_01",
    "text_config": catalogued_config("minimax/minimax-text-01"),
    "vision_config": {
        "model_type": "clip_vision_model",
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "image_size": 336,
        "patch_size": 14,
    },
    "image_grid_pinpoints": [[336, 336]],
}
NANO: Config = decoder("llava-qwen2", 1024, 24, 16, 16, 2816, 151936) | {
    "mm_hidden_size": 1152,
    "mm_projector_type": "mlp2x_gelu",
    "mm_vision_tower": "google/siglip-so400m-patch14-384",
    "unfreeze_mm_vision_tower": True,
}
HYPERCLOVA: Config = {
    "model_type": "hyperclovax_vlm",
    "language_config": decoder("llama", 3072, 32, 24, 8, 7168, 110592) | {"head_dim": 128, "tie_word_embeddings": True},
    "vision_config": SIGLIP | {"image_size": 378},
    "mm_projector_type": "cabstractor",
    "num_queries_vis_abstractor": 81,
    "proj_pos_emb": True,
    "proj_prenorm": False,
    "anyres": True,
}
KANANA: Config = {
    "model_type": "kanana-1.5-v",
    "text_config": decoder("llama", 2048, 32, 32, 8, 9216, 128259) | {"head_dim": 128},
    "vision_config": {
        "model_type": "qwen2_vl",
        "depth": 32,
        "embed_dim": 1280,
        "hidden_size": 2048,
        "mlp_ratio": 4,
        "num_heads": 16,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
    },
    "projector_config": {
        "depth": 2,
        "encoder_hidden_size": 1280,
        "hidden_size": 1024,
        "output_hidden_size": 2048,
        "merge_size": 2,
        "mlp_depth": 2,
        "pos_emb": True,
        "pos_emb_size": 576,
    },
}
CHAMELEON: Config = decoder("chameleon", 4096, 32, 32, 32, 11008, 65536) | {
    "swin_norm": False,
    "model_parallel_size": 1,
    "vq_config": {"model_type": "chameleon_vqgan", "num_embeddings": 8192, "resolution": 512},
}
EMU3: Config = {
    "model_type": "emu3",
    "text_config": decoder("emu3_text_model", 4096, 32, 32, 8, 14336, 184622),
    "vq_config": {"model_type": "emu3_vqgan", "codebook_size": 32768, "embed_dim": 4},
}
MONKEY_B: Config = decoder("qwen3", 1024, 28, 16, 8, 3072, 151936) | {
    "model_type": "monkeyocrv2",
    "head_dim": 128,
    "vision_config": {
        "model_type": "monkeyocr_vit",
        "embed_dim": 768,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "use_bias": False,
    },
}
MONKEY_S = MONKEY_B | {"vision_config": MONKEY_B["vision_config"] | {"embed_dim": 384, "intermediate_size": 1536}}
FAST: Config = {
    "architectures": ["LlavaQwen2ForCausalLM"],
    "mm_vision_tower": "mobileclip_l_1024",
    "mm_hidden_size": 3072,
    "mm_projector_type": "mlp2x_gelu",
    "mm_patch_merge_type": "flat",
    "unfreeze_mm_vision_tower": True,
}
FAST_05B = decoder("qwen2", 896, 24, 14, 2, 4864, 151936) | FAST | {"model_type": "llava_qwen2"}
FAST_15B = decoder("qwen2", 1536, 28, 12, 2, 8960, 151936) | FAST | {"model_type": "llava_qwen2"}
FAST_7B = decoder("qwen2", 3584, 28, 28, 4, 18944, 152064) | FAST | {"model_type": "llava_qwen2"}
HUATUO = FAST_7B | {"mm_vision_tower": "openai/clip-vit-large-patch14-336", "mm_hidden_size": 1024}


IDEFICS: Config = {
    "model_type": "idefics",
    "architectures": ["IdeficsForVisionText2Text"],
    "vocab_size": 32000,
    "additional_vocab_size": 2,
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "intermediate_size": 11008,
    "cross_layer_interval": 4,
    "qk_layer_norms": True,
    "use_resampler": True,
    "vision_config": {
        "model_type": "idefics",
        "embed_dim": 1280,
        "image_size": 224,
        "intermediate_size": 5120,
        "num_attention_heads": 16,
        "num_hidden_layers": 32,
        "patch_size": 14,
    },
    "perceiver_config": {
        "resampler_n_latents": 64,
        "resampler_depth": 6,
        "resampler_n_heads": 16,
        "resampler_head_dim": 96,
        "qk_layer_norms_perceiver": True,
    },
}
KOSMOS: Config = {  # its sizes are those of its class
    "model_type": "kosmos-2.5",
    "architectures": ["Kosmos2_5ForConditionalGeneration"],
    "text_config": {"model_type": "kosmos_2_5_text_model"},
    "vision_config": {"model_type": "kosmos_2_5_vision_model"},
}
