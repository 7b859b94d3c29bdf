"""Files of many architectures, each with the metadata that its converter writes (llama.cpp, `conversion/*.py`): layers,
cache, state and bytes are those of the config.json that the file is made from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.memory import Workload, estimate
from tests.calculator.architecture.gguf_files import header, tensors_of
from tests.calculator.memory.shapes import catalogued_config

Config = dict[str, Any]
PLAIN = {
    "block_count": "num_hidden_layers",
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.sliding_window": "sliding_window",
}


def plain(config: Config) -> Config:
    """`TextModel.set_gguf_parameters` in `conversion/base.py`."""
    return {new: config[old] for new, old in PLAIN.items() if config.get(old) is not None}


def routed(config: Config, *, count: str = "n_routed_experts", shared: str = "n_shared_experts") -> Config:
    keys = {
        "expert_count": count,
        "expert_used_count": "num_experts_per_tok",
        "expert_feed_forward_length": "moe_intermediate_size",
        "expert_shared_count": shared,
        "leading_dense_block_count": "first_k_dense_replace",
        "expert_weights_norm": "norm_topk_prob",
        "expert_weights_scale": "routed_scaling_factor",
        "expert_group_count": "n_group",
        "expert_group_used_count": "topk_group",
    }
    said = {"norm_topk_prob": True} | config  # which the catalogue's trimmed files may leave out
    return plain(config) | {new: said[old] for new, old in keys.items() if said.get(old) is not None}


def latent(config: Config) -> Config:
    """`DeepseekV2Model` in `conversion/deepseek.py`."""
    nope, rope = config["qk_nope_head_dim"], config["qk_rope_head_dim"]
    return routed(config) | {
        "attention.head_count_kv": 1,
        "attention.q_lora_rank": config["q_lora_rank"],
        "attention.kv_lora_rank": config["kv_lora_rank"],
        "attention.key_length": config["kv_lora_rank"] + rope,
        "attention.value_length": config["kv_lora_rank"],
        "attention.key_length_mla": nope + rope,
        "attention.value_length_mla": config["v_head_dim"],
        "rope.dimension_count": rope,
    }


def indexed(config: Config) -> Config:
    return latent(config) | {
        "attention.indexer.head_count": config["index_n_heads"],
        "attention.indexer.key_length": config["index_head_dim"],
        "attention.indexer.top_k": config["index_topk"],
    }


def windows(config: Config) -> Config:
    kinds = config.get("layer_types")
    return {"attention.sliding_window_pattern": [kind == "sliding_attention" for kind in kinds]} if kinds else {}


def falcon(config: Config) -> Config:
    heads = config.get("num_kv_heads") or config.get("n_head_kv") or 1
    own = {"context_length": 2048, "feed_forward_length": 4 * config["hidden_size"], "attention.head_count_kv": heads}
    return plain(config) | own


def gpt2(config: Config) -> Config:
    return {
        "block_count": config["n_layer"],
        "context_length": config["n_positions"],
        "embedding_length": config["n_embd"],
        "feed_forward_length": 4 * config["n_embd"],
        "attention.head_count": config["n_head"],
    }


def starcoder(config: Config) -> Config:
    return gpt2(config) | {"attention.head_count_kv": 1}


def bloom(config: Config) -> Config:
    hidden, heads = config.get("hidden_size") or config["n_embed"], config["n_head"]
    own = {"attention.head_count": heads, "attention.head_count_kv": heads, "block_count": config["n_layer"]}
    return own | {"context_length": 2048, "embedding_length": hidden, "feed_forward_length": 4 * hidden}


def mpt(config: Config) -> Config:
    return {
        "block_count": config["n_layers"],
        "context_length": config["max_seq_len"],
        "embedding_length": config["d_model"],
        "feed_forward_length": config["expansion_ratio"] * config["d_model"],
        "attention.head_count": config["n_heads"],
    }


def gemma3n(config: Config) -> Config:
    return {
        **plain(config),
        **windows(config),
        "altup.num_inputs": config["altup_num_inputs"],
        "attention.shared_kv_layers": config["num_kv_shared_layers"],
        "embedding_length_per_layer_input": config["hidden_size_per_layer_input"],
    }


def chatglm(config: Config) -> Config:
    return {
        "block_count": config["num_layers"],
        "context_length": config["seq_length"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["ffn_hidden_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["multi_query_group_num"],
    }


def dbrx(config: Config) -> Config:
    return {
        "block_count": config["n_layers"],
        "context_length": config["max_seq_len"],
        "embedding_length": config["d_model"],
        "feed_forward_length": config["ffn_config"]["ffn_hidden_size"],
        "attention.head_count": config["n_heads"],
        "attention.head_count_kv": config["attn_config"]["kv_n_heads"],
        "expert_count": config["ffn_config"]["moe_num_experts"],
        "expert_used_count": config["ffn_config"]["moe_top_k"],
    }


def openelm(config: Config) -> Config:
    widths = config["ffn_multipliers"]
    return {
        "block_count": config["num_transformer_layers"],
        "context_length": config["max_context_length"],
        "embedding_length": config["model_dim"],
        "feed_forward_length": [256 * int(width * config["model_dim"] / 256 + 0.5) for width in widths],
        "attention.head_count": config["num_query_heads"],
        "attention.head_count_kv": config["num_kv_heads"],
        "attention.key_length": config["head_dim"],
    }


def deci(config: Config) -> Config:
    """No `ffn_mult` that is not a size: two thirds of it times the hidden size, in steps of 256."""
    heads, hidden = config["num_attention_heads"], config["hidden_size"]
    parts = [(block["attention"], block["ffn"]) for block in config["block_configs"]]
    queries = [0 if attn["no_op"] else heads for attn, _ in parts]
    keys = [0 if not attn["n_heads_in_group"] else heads // attn["n_heads_in_group"] for attn, _ in parts]
    widths = [0 if ffn["no_op"] else 256 * -(-int(2 * ffn["ffn_mult"] * hidden / 3) // 256) for _, ffn in parts]
    own = {"attention.head_count": queries, "attention.head_count_kv": keys, "feed_forward_length": widths}
    return plain(config) | own


def phi2(config: Config) -> Config:
    heads = config["num_attention_heads"]
    return plain(config) | {"feed_forward_length": 4 * config["hidden_size"], "attention.head_count_kv": heads}


def minicpm3(config: Config) -> Config:
    rope = config["qk_rope_head_dim"]
    return plain(config) | {
        "attention.q_lora_rank": config["q_lora_rank"],
        "attention.kv_lora_rank": config["kv_lora_rank"],
        "attention.key_length": config["qk_nope_head_dim"] + rope,
        "rope.dimension_count": rope,
    }


def stablelm(config: Config) -> Config:
    return plain(config) | {"use_parallel_residual": config.get("use_parallel_residual", True)}


def recurrent(inner: int, rank: int, config: Config) -> Config:
    """Heads and feed-forward are nought; the context is any number."""
    return {
        "block_count": config["num_hidden_layers"],
        "context_length": 2**20,
        "embedding_length": config["hidden_size"],
        "feed_forward_length": 0,
        "attention.head_count": 0,
        "ssm.conv_kernel": config["conv_kernel"],
        "ssm.inner_size": inner,
        "ssm.state_size": config["state_size"],
        "ssm.time_step_rank": rank,
    }


def mamba(config: Config) -> Config:
    rank, hidden = config.get("time_step_rank", "auto"), config["hidden_size"]
    norms = {"ssm.dt_b_c_rms": config["model_type"] == "falcon_mamba"}
    return recurrent(2 * hidden, -(-hidden // 16) if rank == "auto" else rank, config) | norms


def mamba2(config: Config) -> Config:
    inner = 2 * config["hidden_size"]
    return recurrent(inner, inner // config["head_dim"], config) | {"ssm.group_count": config["n_groups"]}


def jamba(config: Config) -> Config:
    period, offset = config["attn_layer_period"], config["attn_layer_offset"]
    number, heads = config["num_hidden_layers"], config["num_key_value_heads"]
    return plain(config) | {
        "attention.head_count_kv": [heads * (i % period == offset) for i in range(number)],
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "ssm.conv_kernel": config["mamba_d_conv"],
        "ssm.inner_size": config["mamba_expand"] * config["hidden_size"],
        "ssm.state_size": config["mamba_d_state"],
        "ssm.time_step_rank": config["mamba_dt_rank"],
    }


def beside_mamba2(config: Config, inner: int) -> Config:
    return plain(config) | {
        "ssm.conv_kernel": config["mamba_d_conv"],
        "ssm.inner_size": inner,
        "ssm.state_size": config["mamba_d_state"],
        "ssm.time_step_rank": config["mamba_n_heads"],
        "ssm.group_count": config["mamba_n_groups"],
    }


def falcon_h1(config: Config) -> Config:
    return beside_mamba2(config, config["mamba_d_ssm"])


def granite_hybrid(config: Config) -> Config:
    heads = [
        config["num_key_value_heads"] * (kind in ("attention", "full_attention")) for kind in config["layer_types"]
    ]
    experts = {"expert_count": config["num_local_experts"], "expert_used_count": config["num_experts_per_tok"]}
    return {
        **beside_mamba2(config, config["mamba_expand"] * config["hidden_size"]),
        **(experts if config["num_local_experts"] else {}),
        "attention.head_count_kv": heads,
        "expert_shared_feed_forward_length": config["shared_intermediate_size"],
    }


def kimi_linear(config: Config) -> Config:
    full = [kind == "full_attention" for kind in config["layer_types"]]
    own = latent(config) | {
        "attention.head_count_kv": [int(flag) for flag in full],
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_token"],
        "expert_shared_count": config["num_shared_experts"],
        "ssm.conv_kernel": config["linear_conv_kernel_dim"],
        "kda.head_dim": config["linear_head_dim"],
    }
    return {key: value for key, value in own.items() if value is not None}


def mimo2(config: Config) -> Config:
    hybrid = [*config["hybrid_layer_pattern"], 1, 1, 1]
    heads = {0: config["num_key_value_heads"], 1: config["swa_num_key_value_heads"]}
    own = routed(config) | {
        "block_count": config["num_hidden_layers"] + 3,
        "nextn_predict_layers": 3,
        "attention.head_count_kv": [heads[flag] for flag in hybrid],
        "attention.sliding_window_pattern": hybrid,
        "attention.value_length": config["v_head_dim"],
    }
    return {key: value for key, value in own.items() if key != "leading_dense_block_count"}


def hunyuan_moe(config: Config) -> Config:
    def first(value: object) -> object:
        return value[0] if isinstance(value, list) else value

    return plain(config) | {
        "expert_count": config["num_experts"],
        "expert_used_count": first(config["moe_topk"]),
        "expert_feed_forward_length": first(config["moe_intermediate_size"]),
        "expert_shared_count": first(config["num_shared_expert"]),
        "expert_shared_feed_forward_length": config["intermediate_size"],
    }


def afmoe(config: Config) -> Config:
    return plain(config) | {
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_shared_count": config["num_shared_experts"],
        "expert_feed_forward_length": config["moe_intermediate_size"],
        "leading_dense_block_count": config["num_dense_layers"],
        "expert_weights_scale": config.get("route_scale", 1.0),
    }


def exaone_moe(config: Config) -> Config:
    return routed(config, count="num_experts", shared="num_shared_experts") | windows(config)


def bailing(config: Config) -> Config:
    return routed(config, count="num_experts", shared="num_shared_experts") | {"expert_weights_scale": 1.0}


def phimoe(config: Config) -> Config:
    return plain(config) | {
        "expert_count": config["num_local_experts"],
        "expert_used_count": config["num_experts_per_tok"],
    }


def cohere2_moe(config: Config) -> Config:
    first = next((i for i, kind in enumerate(config.get("mlp_layer_types") or ()) if kind != "dense"), None)
    own = plain(config) | windows(config)
    return own | {
        "feed_forward_length": config["prefix_dense_intermediate_size"],
        "expert_feed_forward_length": config["intermediate_size"],
        "expert_count": config["num_experts"],
        "expert_used_count": config["num_experts_per_tok"],
        "expert_shared_count": config["num_shared_experts"],
        "leading_dense_block_count": config["first_k_dense_replace"] if first is None else first,
        "expert_weights_norm": config.get("norm_topk_prob", False),
    }


def mellum(config: Config) -> Config:
    return routed(config, count="num_experts") | windows(config)


def hy_v3(config: Config) -> Config:
    size = config["moe_intermediate_size"] * config["num_shared_experts"]
    own = {key: value for key, value in routed(config, count="num_experts").items() if "leading" not in key}
    return own | {"expert_shared_feed_forward_length": size, "expert_weights_scale": 1.0}


Written = Callable[[Config], Config]
# By the architecture that the file names: a model of the catalogue.
CATALOGUED: dict[str, tuple[str, Written]] = {
    "afmoe": ("arcee/trinity-mini", afmoe),
    "apertus": ("swissai/apertus-8b-instruct-2509", plain),
    "arcee": ("arcee/afm-4-5b", plain),
    "baichuan": ("baichuan/baichuan2-7b-chat", plain),
    "bailingmoe": ("inclusionai/ling-lite-1-5", bailing),
    "bitnet": ("microsoft/bitnet-b1-58-2b-4t", plain),
    "cohere2moe": ("cohere/north-mini-code-1-0", cohere2_moe),
    "deci": ("nvidia/llama-3-3-nemotron-super-49b-v1-5", deci),
    "deepseek": ("deepseek/deepseek-moe-16b-chat", routed),
    "deepseek32": ("deepseek/deepseek-v3-2-exp", indexed),
    "exaone": ("lg/exaone-3-5-2-4b-instruct", plain),
    "exaone-moe": ("lg/k-exaone-236b-a23b", exaone_moe),
    "falcon": ("tii/falcon-40b-instruct", falcon),
    "falcon-h1": ("tii/falcon-h1-0-5b-instruct", falcon_h1),
    "gemma3n": ("google/gemma-3n-e4b-it", gemma3n),
    "glm-dsa": ("zhipu/glm-5-2", indexed),
    "gpt2": ("openai/gpt2-large", gpt2),
    "gptneox": ("eleutherai/pythia-6-9b", plain),
    "granitehybrid": ("ibm/granite-4-0-h-small", granite_hybrid),
    "hunyuan-moe": ("tencent/hunyuan-a13b-instruct", hunyuan_moe),
    "hy_v3": ("tencent/hy3", hy_v3),
    "jamba": ("ai21/ai21-jamba-mini-1-5", jamba),
    "kimi-linear": ("moonshot/kimi-linear-48b-a3b-instruct", kimi_linear),
    "mamba": ("state-spaces/mamba-2-8b-hf", mamba),
    "mamba2": ("mistral/mamba-codestral-7b-v0-1", mamba2),
    "mellum": ("jetbrains/mellum2-12b-a2-5b-thinking", mellum),
    "mimo2": ("xiaomi/mimo-v2-flash", mimo2),
    "minicpm": ("openbmb/minicpm4-8b", plain),
    "minicpm3": ("openbmb/minicpm3-4b", minicpm3),
    "mistral4": ("mistral/mistral-small-4-119b-2603", latent),
    "phi2": ("microsoft/phi-2", phi2),
    "phimoe": ("microsoft/phi-3-5-moe-instruct", phimoe),
    "stablelm": ("stability/stablelm-2-zephyr-1-6b", stablelm),
}
BLOOM = {"model_type": "bloom", "n_embed": 1024, "n_head": 16, "n_layer": 24, "vocab_size": 250880}
# Others, with the sizes of a published model of that type.
STATED: dict[str, tuple[Config, Written]] = {
    "bloom": (BLOOM, bloom),
    "chatglm": (
        {"model_type": "chatglm", "num_layers": 28, "seq_length": 32768, "hidden_size": 4096, "kv_channels": 128}
        | {"ffn_hidden_size": 13696, "num_attention_heads": 32, "multi_query_attention": True, "add_qkv_bias": True}
        | {"multi_query_group_num": 2, "padded_vocab_size": 65024, "tie_word_embeddings": False},
        chatglm,
    ),
    "dbrx": (
        {"model_type": "dbrx", "d_model": 6144, "n_heads": 48, "n_layers": 40, "max_seq_len": 32768}
        | {"vocab_size": 100352, "attn_config": {"kv_n_heads": 8}, "tie_word_embeddings": False}
        | {"ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4}},
        dbrx,
    ),
    "hunyuan_vl": (
        {"model_type": "hunyuan_vl_text", "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
        | {"num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 3584, "vocab_size": 120818}
        | {"max_position_embeddings": 32768, "tie_word_embeddings": True},
        plain,
    ),
    "jais2": (
        {"model_type": "jais2", "hidden_size": 3328, "num_hidden_layers": 32, "num_attention_heads": 26}
        | {"num_key_value_heads": 26, "head_dim": 128, "intermediate_size": 26624, "vocab_size": 150272}
        | {"max_position_embeddings": 8192, "tie_word_embeddings": False, "attention_bias": True, "mlp_bias": True},
        plain,
    ),
    "mpt": (
        {"model_type": "mpt", "d_model": 4096, "n_heads": 32, "n_layers": 32, "max_seq_len": 2048}
        | {"expansion_ratio": 4, "vocab_size": 50432, "tie_word_embeddings": True},
        mpt,
    ),
    "nemotron": (
        {"model_type": "nemotron", "hidden_size": 3072, "num_hidden_layers": 32, "num_attention_heads": 24}
        | {"num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 9216, "vocab_size": 256000}
        | {"max_position_embeddings": 4096, "tie_word_embeddings": False},
        plain,
    ),
    "olmo": (
        {"model_type": "olmo", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
        | {"num_key_value_heads": 32, "intermediate_size": 11008, "vocab_size": 50304}
        | {"max_position_embeddings": 2048, "tie_word_embeddings": False},
        plain,
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
        openelm,
    ),
    "orion": (
        {"model_type": "orion", "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 40}
        | {"num_key_value_heads": 40, "intermediate_size": 15360, "vocab_size": 84608}
        | {"max_position_embeddings": 4096, "tie_word_embeddings": False},
        plain,
    ),
    "paddleocr": (
        {"model_type": "paddleocr_vl_text", "hidden_size": 1024, "num_hidden_layers": 18, "num_attention_heads": 16}
        | {"num_key_value_heads": 2, "head_dim": 128, "intermediate_size": 3072, "vocab_size": 103424}
        | {"max_position_embeddings": 131072, "tie_word_embeddings": False},
        plain,
    ),
    "pangu-embedded": (
        {"model_type": "PanguEmbedded", "hidden_size": 4096, "num_hidden_layers": 34, "num_attention_heads": 32}
        | {"num_key_value_heads": 8, "intermediate_size": 12800, "vocab_size": 153376, "bias": True}
        | {"max_position_embeddings": 32768, "tie_word_embeddings": False},
        plain,
    ),
    "qwen": (
        {"model_type": "qwen", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
        | {"intermediate_size": 22016, "vocab_size": 151936, "max_position_embeddings": 8192}
        | {"tie_word_embeddings": False},
        plain,
    ),
    "starcoder": (
        {"model_type": "gpt_bigcode", "n_embd": 2048, "n_head": 16, "n_layer": 24, "n_positions": 8192}
        | {"n_inner": 8192, "vocab_size": 49152, "multi_query": True},
        starcoder,
    ),
    "xverse": (
        {"model_type": "xverse", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
        | {"intermediate_size": 11008, "vocab_size": 100278, "max_position_embeddings": 8192}
        | {"tie_word_embeddings": False},
        plain,
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
