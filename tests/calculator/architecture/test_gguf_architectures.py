"""Files of many architectures, each with the metadata that its converter writes (llama.cpp, `conversion/*.py`): layers,
cache, state and bytes are those of the config.json that the file is made from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.memory import Workload, estimate
from tests.calculator.architecture import gguf_expert_writers as experts
from tests.calculator.architecture import gguf_recurrent_writers as recurrent
from tests.calculator.architecture import gguf_writers as by
from tests.calculator.architecture.gguf_files import header, tensors_of
from tests.calculator.architecture.gguf_writers import Config
from tests.calculator.memory.shapes import catalogued_config

Written = Callable[[Config], Config]
# By the architecture that the file names: a model of the catalogue.
CATALOGUED: dict[str, tuple[str, Written]] = {
    "afmoe": ("arcee/trinity-mini", experts.afmoe),
    "apertus": ("swissai/apertus-8b-instruct-2509", by.plain),
    "arcee": ("arcee/afm-4-5b", by.plain),
    "baichuan": ("baichuan/baichuan2-7b-chat", by.plain),
    "bailingmoe": ("inclusionai/ling-lite-1-5", experts.bailing),
    "bailingmoe3": ("inclusionai/ling-3-0-tiny", recurrent.bailing_hybrid),
    "bitnet": ("microsoft/bitnet-b1-58-2b-4t", by.plain),
    "cohere2moe": ("cohere/north-mini-code-1-0", experts.cohere2_moe),
    "deci": ("nvidia/llama-3-3-nemotron-super-49b-v1-5", by.deci),
    "deepseek": ("deepseek/deepseek-moe-16b-chat", by.routed),
    "deepseek32": ("deepseek/deepseek-v3-2-exp", by.indexed),
    "deepseek4": ("deepseek/deepseek-v4-flash", experts.deepseek4),
    "exaone": ("lg/exaone-3-5-2-4b-instruct", by.plain),
    "exaone-moe": ("lg/k-exaone-236b-a23b", experts.exaone_moe),
    "falcon": ("tii/falcon-40b-instruct", by.falcon),
    "falcon-h1": ("tii/falcon-h1-0-5b-instruct", recurrent.falcon_h1),
    "gemma3n": ("google/gemma-3n-e4b-it", by.gemma3n),
    "glm-dsa": ("zhipu/glm-5-2", by.indexed),
    "glm5-next": ("zhipu/glm-5-3-flash", experts.glm5_next),
    "gpt2": ("openai/gpt2-large", by.gpt2),
    "gptneox": ("eleutherai/pythia-6-9b", by.plain),
    "granitehybrid": ("ibm/granite-4-0-h-small", recurrent.granite_hybrid),
    "grok": ("xai/grok-2", by.grok),
    "hunyuan-moe": ("tencent/hunyuan-a13b-instruct", experts.hunyuan_moe),
    "hy_v4": ("tencent/hy4-preview", experts.hy_v4),
    "hy_v3": ("tencent/hy3", experts.hy_v3),
    "jamba": ("ai21/ai21-jamba-mini-1-5", recurrent.jamba),
    "kimi-linear": ("moonshot/kimi-linear-48b-a3b-instruct", recurrent.kimi_linear),
    "laguna": ("poolside/laguna-xs-2-1", experts.laguna),
    "mamba": ("state-spaces/mamba-2-8b-hf", recurrent.mamba),
    "mamba2": ("mistral/mamba-codestral-7b-v0-1", recurrent.mamba2),
    "mellum": ("jetbrains/mellum2-12b-a2-5b-thinking", experts.mellum),
    "mimo2": ("xiaomi/mimo-v2-flash", experts.mimo2),
    "minicpm": ("openbmb/minicpm4-8b", by.plain),
    "minicpm3": ("openbmb/minicpm3-4b", by.minicpm3),
    "minimax-m3": ("minimax/minimax-m3", experts.minimax_m3),
    "mistral4": ("mistral/mistral-small-4-119b-2603", by.latent),
    "muse-glimmer": ("meta-models/muse-glimmer-30b", lambda config: by.plain(config) | by.windows(config)),
    "spark2_5": ("xhtoken/spark-x2-5-4b", lambda config: by.plain(config) | by.windows(config)),
    "phi2": ("microsoft/phi-2", by.phi2),
    "phimoe": ("microsoft/phi-3-5-moe-instruct", experts.phimoe),
    "stablelm": ("stability/stablelm-2-zephyr-1-6b", by.stablelm),
}
STEP: Config = {
    "model_type": "step3p5",
    "num_hidden_layers": 45,
    "hidden_size": 4096,
    "num_attention_heads": 64,
    "num_sliding_attention_heads": 96,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 128896,
    "max_position_embeddings": 262144,
    "intermediate_size": 11264,
    "sliding_window": 512,
    "layer_types": ["sliding_attention" if index % 4 else "full_attention" for index in range(45)],
    "first_k_dense_replace": 3,
    "num_experts": 288,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 1280,
    "share_expert_dim": 1280,
    "moe_router_scaling_factor": 3.0,
    "tie_word_embeddings": False,
}
BLOOM = {"model_type": "bloom", "n_embed": 1024, "n_head": 16, "n_layer": 24, "vocab_size": 250880}
# Others, with the sizes of a published model of that type.
STATED: dict[str, tuple[Config, Written]] = {
    "bloom": (BLOOM, by.bloom),
    "chatglm": (
        {"model_type": "chatglm", "num_layers": 28, "seq_length": 32768, "hidden_size": 4096, "kv_channels": 128}
        | {"ffn_hidden_size": 13696, "num_attention_heads": 32, "multi_query_attention": True, "add_qkv_bias": True}
        | {"multi_query_group_num": 2, "padded_vocab_size": 65024, "tie_word_embeddings": False},
        by.chatglm,
    ),
    "dbrx": (
        {"model_type": "dbrx", "d_model": 6144, "n_heads": 48, "n_layers": 40, "max_seq_len": 32768}
        | {"vocab_size": 100352, "attn_config": {"kv_n_heads": 8}, "tie_word_embeddings": False}
        | {"ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4}},
        by.dbrx,
    ),
    "deepseek2-ocr": (
        {"model_type": "deepseek_ocr2_text", "hidden_size": 1280, "num_hidden_layers": 12, "num_attention_heads": 10}
        | {"num_key_value_heads": 10, "intermediate_size": 6848, "moe_intermediate_size": 896, "vocab_size": 129280}
        | {"n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6, "first_k_dense_replace": 1}
        | {"max_position_embeddings": 8192, "tie_word_embeddings": False, "norm_topk_prob": False},
        by.routed,
    ),
    "hunyuan_vl": (
        {"model_type": "hunyuan_vl_text", "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
        | {"num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 3584, "vocab_size": 120818}
        | {"max_position_embeddings": 32768, "tie_word_embeddings": True},
        by.plain,
    ),
    "jais2": (
        {"model_type": "jais2", "hidden_size": 3328, "num_hidden_layers": 32, "num_attention_heads": 26}
        | {"num_key_value_heads": 26, "head_dim": 128, "intermediate_size": 26624, "vocab_size": 150272}
        | {"max_position_embeddings": 8192, "tie_word_embeddings": False, "attention_bias": True, "mlp_bias": True},
        by.plain,
    ),
    "maincoder": (
        {"model_type": "maincoder", "hidden_size": 1536, "num_hidden_layers": 32, "num_attention_heads": 16}
        | {"num_key_value_heads": 4, "head_dim": 96, "intermediate_size": 4096, "vocab_size": 151936}
        | {"max_position_embeddings": 2048, "tie_word_embeddings": True},
        by.plain,
    ),
    "mpt": (
        {"model_type": "mpt", "d_model": 4096, "n_heads": 32, "n_layers": 32, "max_seq_len": 2048}
        | {"expansion_ratio": 4, "vocab_size": 50432, "tie_word_embeddings": True},
        by.mpt,
    ),
    "nemotron": (
        {"model_type": "nemotron", "hidden_size": 3072, "num_hidden_layers": 32, "num_attention_heads": 24}
        | {"num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 9216, "vocab_size": 256000}
        | {"max_position_embeddings": 4096, "tie_word_embeddings": False},
        by.plain,
    ),
    "olmo": (
        {"model_type": "olmo", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
        | {"num_key_value_heads": 32, "intermediate_size": 11008, "vocab_size": 50304}
        | {"max_position_embeddings": 2048, "tie_word_embeddings": False},
        by.plain,
    ),
    "openelm": (
        {"model_type": "openelm", "model_dim": 1280, "num_transformer_layers": 16, "head_dim": 64, "vocab_size": 32000}
        | {"num_kv_heads": [3] * 5 + [4] * 7 + [5] * 4, "num_query_heads": [12] * 5 + [16] * 7 + [20] * 4}
        | {
            "ffn_multipliers": [
                0.5,
                0.73,
                0.97,
                1.2,
                1.43,
                1.67,
                1.9,
                2.13,
                2.37,
                2.6,
                2.83,
                3.07,
                3.3,
                3.53,
                3.77,
                4.0,
            ]
        }
        | {"ffn_dim_divisor": 256, "max_context_length": 2048, "share_input_output_layers": True},
        by.openelm,
    ),
    "orion": (
        {"model_type": "orion", "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 40}
        | {"num_key_value_heads": 40, "intermediate_size": 15360, "vocab_size": 84608}
        | {"max_position_embeddings": 4096, "tie_word_embeddings": False},
        by.plain,
    ),
    "paddleocr": (
        {"model_type": "paddleocr_vl_text", "hidden_size": 1024, "num_hidden_layers": 18, "num_attention_heads": 16}
        | {"num_key_value_heads": 2, "head_dim": 128, "intermediate_size": 3072, "vocab_size": 103424}
        | {"max_position_embeddings": 131072, "tie_word_embeddings": False},
        by.plain,
    ),
    "pangu-embedded": (
        {"model_type": "PanguEmbedded", "hidden_size": 4096, "num_hidden_layers": 34, "num_attention_heads": 32}
        | {"num_key_value_heads": 8, "intermediate_size": 12800, "vocab_size": 153376, "bias": True}
        | {"max_position_embeddings": 32768, "tie_word_embeddings": False},
        by.plain,
    ),
    "plamo3": (
        {"model_type": "plamo3", "hidden_size": 1536, "num_hidden_layers": 16, "num_attention_heads": 16}
        | {"num_key_value_heads": 1, "head_dim": 128, "intermediate_size": 6144, "vocab_size": 107520}
        | {"max_position_embeddings": 32768, "sliding_window": 2048, "tie_word_embeddings": False},
        by.plain,
    ),
    "qwen": (
        {"model_type": "qwen", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
        | {"intermediate_size": 22016, "vocab_size": 151936, "max_position_embeddings": 8192}
        | {"tie_word_embeddings": False},
        by.plain,
    ),
    "step35": (STEP, experts.step35),
    "talkie": (
        {"model_type": "talkie", "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 40}
        | {"num_key_value_heads": 40, "head_dim": 128, "intermediate_size": 13696, "vocab_size": 65540}
        | {"max_position_embeddings": 2048, "tie_word_embeddings": False},
        by.plain,
    ),
    "starcoder": (
        {"model_type": "gpt_bigcode", "n_embd": 2048, "n_head": 16, "n_layer": 24, "n_positions": 8192}
        | {"n_inner": 8192, "vocab_size": 49152, "multi_query": True},
        by.starcoder,
    ),
    "xverse": (
        {"model_type": "xverse", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
        | {"intermediate_size": 11008, "vocab_size": 100278, "max_position_embeddings": 8192}
        | {"tie_word_embeddings": False},
        by.plain,
    ),
}
CASES = {name: (catalogued_config(model), written) for name, (model, written) in CATALOGUED.items()} | STATED


@pytest.mark.parametrize("architecture", CASES)
def test_a_file_is_its_model(architecture: str) -> None:
    whole, written = CASES[architecture]
    config = whole.get("text_config", whole)
    shape = read_config(config)
    keys = {f"{architecture}.{key}": value for key, value in written(config).items()}
    file = header({"general.architecture": architecture} | keys, tensors_of(shape, "Q8_0"))
    found = read_config(file)
    assert found.layers == shape.layers
    known = estimate(shape, Workload(weight_format="Q8_0", context_tokens=1024))
    answer = estimate(found, Workload(context_tokens=1024))
    assert answer.file_bytes == known.file_bytes
    assert {part.key: part.bytes for part in answer.parts} == {part.key: part.bytes for part in known.parts}
    assert found.vocab_size == shape.vocab_size


@pytest.mark.parametrize("model", ["poolside/laguna-xs-2-1", "poolside/laguna-m-1"])
def test_laguna_s_gate_is_told_by_its_tensor(model: str) -> None:
    """By head in the smaller, by element in the larger, which has no windows either."""
    shape = read_config(catalogued_config(model))
    keys = {f"laguna.{key}": value for key, value in experts.laguna(catalogued_config(model)).items()}
    found = read_config(header({"general.architecture": "laguna"} | keys, tensors_of(shape, "Q8_0")))
    assert found.total_parameters == shape.total_parameters
    assert found.layers == shape.layers


JUNK: tuple[Any, ...] = (None, 0, -1, 10**30, 0.5, "8", True, [], [1], ["x"] * 35, [0] * 35, {}, {"a": 1})


@pytest.mark.parametrize("architecture", CASES)
def test_a_value_that_cannot_be_is_a_fault_and_no_crash(architecture: str) -> None:
    """Each key in turn; without tensors, which would tell."""
    whole, written = CASES[architecture]
    keys = {f"{architecture}.{key}": value for key, value in written(whole.get("text_config", whole)).items()}
    metadata = header({"general.architecture": architecture} | keys, {})["metadata"]
    for key in metadata:
        for value in JUNK:
            with suppress(ConfigError):
                read_config({"metadata": metadata | {key: {"value": value}}, "tensors": {}})


def test_layers_that_predict_stand_behind_the_others() -> None:
    """Step 3.5 with them (`Step35Model`: `block_count` and every list count them)."""
    keys = experts.step35(STEP | {"layer_types": [*STEP["layer_types"], *["sliding_attention"] * 3]})
    keys |= {"block_count": 48, "nextn_predict_layers": 3}
    metadata = header({"general.architecture": "step35"} | {f"step35.{key}": keys[key] for key in keys}, {})["metadata"]
    metadata |= {"step35.vocab_size": {"value": STEP["vocab_size"]}}
    found = read_config({"metadata": metadata, "tensors": {}})
    assert found.layers == read_config(STEP).layers
    assert len(found.mtp_mixers) == 3
