"""Counts the tensors of draft heads that SpecForge's own classes make on torch's meta device (`draft_heads.jsonl`).

    PYTHONPATH=<a checkout of SpecForge>:. python -m tests.reference.draft_heads > tests/reference/draft_heads.jsonl

Needs torch and transformers (made with torch 2.14, transformers 5.24.0 and SpecForge at commit a6b6b023). `parameters`
leave out the embedding, which its training does not save.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any

EAGLE3_KEYS: dict[str, Any] = {
    "architectures": ["LlamaForCausalLMEagle3"],
    "model_type": "llama",
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "num_hidden_layers": 1,
    "vocab_size": 32000,
    "draft_vocab_size": 8000,
    "max_position_embeddings": 4096,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "pad_token_id": 0,
}
BLOCK_KEYS: dict[str, Any] = {
    "architectures": ["DFlashDraftModel"],
    "model_type": "qwen3",
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "num_hidden_layers": 3,
    "vocab_size": 32000,
    "num_target_layers": 28,
    "block_size": 8,
    "max_position_embeddings": 4096,
    "layer_types": ["full_attention"] * 3,
    "dflash_config": {"target_layer_ids": [1, 13, 25], "mask_token_id": 1},
}
_MARKOV = {"projector_type": "dspark", "markov_rank": 64, "enable_confidence_head": True}


def _block(name: str, **settings: Any) -> dict[str, Any]:
    return {**BLOCK_KEYS, "architectures": [name], "dflash_config": {**BLOCK_KEYS["dflash_config"], **settings}}


CONFIGS: dict[str, dict[str, Any]] = {
    "eagle3": EAGLE3_KEYS,
    "eagle3, norms of features": {**EAGLE3_KEYS, "fc_norm": True},
    "eagle3, a target of another width": {**EAGLE3_KEYS, "target_hidden_size": 2048},
    "p-eagle of three layers": {**EAGLE3_KEYS, "architectures": ["PEagleDraftModel"], "num_hidden_layers": 3},
    "dflash": BLOCK_KEYS,
    "dflash with biases": {**BLOCK_KEYS, "attention_bias": True},
    "domino": _block("DominoDraftModel", projector_type="domino", gru_hidden_dim=256, emb_dim=128),
    "dspark": _block("DSparkDraftModel", **_MARKOV, markov_head_type="vanilla", confidence_head_with_markov=True),
    "dspark, gated": _block("DSparkDraftModel", **_MARKOV, markov_head_type="gated", confidence_head_with_markov=False),
    "dspark, recurrent": _block(
        "DSparkDraftModel", **_MARKOV, markov_head_type="rnn", confidence_head_with_markov=True
    ),
}
MODULES = {
    "LlamaForCausalLMEagle3": "llama3_eagle",
    "PEagleDraftModel": "peagle",
    "DFlashDraftModel": "dflash",
    "DominoDraftModel": "domino",
    "DSparkDraftModel": "dspark",
}


def counted() -> Iterator[dict[str, Any]]:
    """One line for each config: its name, and the parameters of the class that it names."""
    torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    kinds = {"llama": transformers.LlamaConfig, "qwen3": transformers.Qwen3Config}
    for name, keys in CONFIGS.items():
        (named,) = keys["architectures"]
        module = importlib.import_module(f"specforge.modeling.draft.{MODULES[named]}")
        config = kinds[keys["model_type"]](**keys)
        with torch.device("meta"):
            model = getattr(module, named)(config)
        held = {one: tensor.numel() for one, tensor in model.named_parameters() if "embed_tokens" not in one}
        yield {"name": name, "parameters": sum(held.values())}


if __name__ == "__main__":
    for line in counted():
        sys.stdout.write(json.dumps(line) + "\n")
