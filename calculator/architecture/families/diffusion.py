"""Decoders that write by diffusion: layers of known decoders that see the whole sequence, and all positions at a time.

Sources: `configuration_llada.py` and `modeling_llada.py` of LLaDA (arXiv:2502.09992), llama.cpp's
`conversion/llada.py`, SGLang 0.5.23 `srt/models/llada2.py` and `sdar.py`. Dream, WeDLM, SDAR, dLLM's Qwen3 and Nemotron
Labs Diffusion have the layers of Qwen2.5, Qwen3 and Ministral 3: each published checkpoint has exactly as many
parameters (llmfit 1.1.17, `hf_models.json`; `tests/reference/parameters/diffusion.jsonl`).
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.aliases import SPELLINGS
from calculator.architecture.decoder import Decoder
from calculator.architecture.families.dense import LLAMA, QWEN2, QWEN3
from calculator.architecture.families.gemma import gemma4
from calculator.architecture.families.sparse import LING, OLMOE, QWEN3_MOE
from calculator.architecture.families.standard import Family, Standard
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm

# Keys of LLaDA's class that say how to compute, and those whose other value would be other tensors.
_UNREAD = (
    *("alibi", "alibi_bias_max", "attention_layer_norm_with_affine", "block_group_size", "init_cutoff_factor"),
    *("init_device", "init_fn", "mlp_ratio", "precision", "rope", "rope_full_precision", "scale_logits", "use_cache"),
    *("bias_for_layer_norm", "layer_norm_with_affine", "multi_query_attention"),
)
_ONLY: dict[str, object] = {
    "attention_layer_norm": False,
    "block_type": "llama",
    "include_bias": False,
    "input_emb_norm": False,
    "layer_norm_type": "rms",
}
LLADA_MOE = replace(OLMOE, qk_norm="head", qk_norm_if="qk_layernorm")
BLOCK_KEYS = ("canvas_length", "block_size", "block_length")
_BLOCKS = (*BLOCK_KEYS, "fuse_cross_entropy")


def llada(c: Fields) -> Decoder:
    """LLaDA, and LLaDA-MoE, whose files bear the same type and other keys. A file of LLaDA states a table as long as
    `embedding_size`, and its own spellings of two sizes."""
    if c.has("num_experts"):
        c.ignore("dense_intermediate_size", "moe_layer_freq")
        return LLADA_MOE(_spelt(c, {"intermediate_size": "expert_intermediate_size"}))
    for key, value in _ONLY.items():
        if c.value(key) not in (None, value):
            raise c.fail(key, "unsupported_value", value=str(c.value(key))[:40])
    c.ignore(*_UNREAD)
    spelt = {"intermediate_size": "mlp_hidden_size", "num_kv_heads": "n_kv_heads", "vocab_size": "embedding_size"}
    spelt["tied"] = "weight_tying"
    return Standard(qkv_bias="include_qkv_bias")(_spelt(c, spelt))


def _spelt(c: Fields, spelt: dict[str, str]) -> Fields:
    """The same file with the usual spelling for what it spells its own way."""
    own = {SPELLINGS[name][0]: c.config[key] for name, key in spelt.items() if c.config.get(key) is not None}
    c.ignore(*spelt.values())
    c.config = {**c.config, **own}
    return c


def diffusion_gemma(c: Fields) -> Decoder:
    """Gemma 4's layers, always with experts and with keys as values, which encoder and decoder share; and what leads
    the last step's guess back in (transformers 5.24.0, `models/diffusion_gemma`, `DiffusionGemmaSelfConditioning`)."""
    c.config = {"enable_moe_block": True, "attention_k_eq_v": True, **c.config}
    model, hidden, inner = gemma4(c), c.size("hidden_size"), c.size("intermediate_size")
    conditioning = norm("self_cond_norm", hidden) + linear("self_cond_gate", inner, hidden)
    conditioning += linear("self_cond_up", inner, hidden) + linear("self_cond_down", hidden, inner)
    return replace(model, shared=model.shared + conditioning)


FAMILIES: dict[str, Family] = {
    "Dream": replace(QWEN2, ignored=(*QWEN2.ignored, "use_mrope")),
    "a2d-qwen3": QWEN3,
    "diffusion_gemma_text": diffusion_gemma,
    "llada": llada,
    "llada2_moe": replace(LING, qk_norm_if=True, ignored=("use_qk_norm", "norm_head", "moe_router_enable_expert_bias")),
    "lladamoe": llada,
    "nemotron_labs_diffusion": replace(LLAMA, ignored=_BLOCKS),
    "sdar": replace(QWEN3, ignored=_BLOCKS),
    "sdar_moe": replace(QWEN3_MOE, ignored=(*QWEN3_MOE.ignored, *_BLOCKS)),
    "wedlm": QWEN2,
}
DIFFUSION = {
    **dict.fromkeys(("Dream", "a2d-qwen3", "llada", "llada2_moe", "lladamoe"), "whole"),
    **dict.fromkeys(("diffusion_gemma_text", "nemotron_labs_diffusion", "sdar", "sdar_moe", "wedlm"), "blocks"),
}
"""How a model type writes: what is read anew at each step (`Shape.diffusion`)."""
