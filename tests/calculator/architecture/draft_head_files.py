"""Files of draft heads as published, and of the targets whose sizes theirs are."""

from __future__ import annotations

from typing import Any

from calculator.architecture import DraftHead, read_draft_head

LLAMA_8B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "num_hidden_layers": 1,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
}
QWEN3_8B = {
    "model_type": "qwen3",
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "num_hidden_layers": 5,
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "layer_types": ["full_attention"] * 5,
    "dtype": "bfloat16",
    "num_target_layers": 36,
    "attention_bias": False,
}
QWEN3_4B = QWEN3_8B | {"hidden_size": 2560, "intermediate_size": 9728}
QWEN_27B = QWEN3_8B | {"hidden_size": 5120, "intermediate_size": 17408, "vocab_size": 248320, "num_target_layers": 64}
EAGLE = {**LLAMA_8B, "architectures": ["LlamaForCausalLMEagle"]}
EAGLE3 = {**LLAMA_8B, "architectures": ["LlamaForCausalLMEagle3"], "draft_vocab_size": 32000}
DFLASH = {**QWEN3_8B, "architectures": ["DFlashDraftModel"], "block_size": 16}
FIVE = {"target_layer_ids": [1, 9, 17, 25, 33]}
MARKOV = {"markov_rank": 256, "markov_head_type": "vanilla", "enable_confidence_head": True}
MARKOV |= {"confidence_head_with_markov": True}
DEEPSPEC = {**QWEN3_8B, "architectures": ["Qwen3DSparkModel"], "block_size": 7, **FIVE, **MARKOV}
SPECFORGE = {"architectures": ["DSparkDraftModel"], "dflash_config": {**FIVE, **MARKOV, "projector_type": "dspark"}}
MEDUSA = {"medusa_num_heads": 5, "medusa_num_layers": 1, "hidden_size": 4096, "vocab_size": 32000}
SPECULATORS = {
    "architectures": ["Eagle3DraftModel"],
    "speculators_model_type": "eagle3",
    "draft_vocab_size": 32000,
    "eagle_aux_hidden_state_layer_ids": [2, 30, 57],
    "embed_requires_grad": False,
    "norm_before_residual": True,
    "tie_word_embeddings": False,
    "speculators_config": {"algorithm": "eagle3", "verifier": {"name_or_path": "meta-llama/Llama-3.1-8B-Instruct"}},
    "transformer_layer_config": {key: value for key, value in LLAMA_8B.items() if key != "torch_dtype"},
    "dtype": "bfloat16",
}


def of(config: dict[str, Any], **keys: Any) -> DraftHead:
    """What a file says, with some keys otherwise."""
    return read_draft_head({**config, **keys})
