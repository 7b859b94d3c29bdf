"""llama.cpp's architectures: the model type of each, and the keys of its config.json that others do not have.

Each from its module in llama.cpp's `conversion/` (`set_gguf_parameters`) and what `src/models/` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from calculator.architecture import gguf_experts as experts
from calculator.architecture import gguf_hybrids as hybrids
from calculator.architecture.gguf_values import Values


class Known(NamedTuple):
    """`model_type` of the config.json; `window_every`: every n-th layer sees all, where the file has no pattern; `own`:
    keys that `more` reads, as their values may differ between layers."""

    model_type: str
    more: Callable[[Values, set[str]], dict[str, object]] = lambda values, names: {}
    window_every: int = 0
    own: frozenset[str] = frozenset()


HYBRID = frozenset({"attention.head_count_kv", "feed_forward_length"})
KNOWN: Mapping[str, Known] = {
    "llama": Known("llama", experts.llama),
    "mistral3": Known("mistral"),
    "qwen2": Known("qwen2"),
    "qwen2moe": Known("qwen2_moe", experts.qwen_moe),
    "qwen3": Known("qwen3", experts.biased),
    "qwen3moe": Known("qwen3_moe", experts.qwen3_moe),
    "qwen3next": Known("qwen3_next", hybrids.gated_delta),
    "qwen35": Known("qwen3_5_text", hybrids.gated_delta),
    "qwen35moe": Known("qwen3_5_moe_text", hybrids.gated_delta),
    "gemma": Known("gemma"),
    "gemma2": Known("gemma2", window_every=2),
    "gemma3": Known("gemma3_text", window_every=6),
    "phi3": Known("phi3"),
    "command-r": Known("cohere"),
    "cohere2": Known("cohere2", window_every=4),
    "gpt-oss": Known("gpt_oss", experts.gpt_oss, window_every=2),
    "glm4": Known("glm4"),
    "glm4moe": Known("glm4_moe", experts.glm4_moe),
    "deepseek2": Known("deepseek_v3", experts.deepseek2),
    "olmo2": Known("olmo2"),
    "granite": Known("granite"),
    "smollm3": Known("smollm3"),
    "seed_oss": Known("seed_oss", experts.biased),
    "qwen2vl": Known("qwen2_vl_text"),
    "qwen3vl": Known("qwen3_vl_text", experts.biased),
    "qwen3vlmoe": Known("qwen3_vl_moe_text", experts.qwen3_moe),
    "hunyuan-dense": Known("hunyuan_v1_dense"),
    "exaone4": Known("exaone4", window_every=4),
    "ernie4_5": Known("ernie4_5"),
    "internlm2": Known("internlm2"),
    "olmoe": Known("olmoe", experts.qwen_moe),
    "granitemoe": Known("granitemoe", experts.granite_moe),
    "starcoder2": Known("starcoder2", lambda values, names: {"use_bias": "blk.0.attn_q.bias" in names}),
    "dots1": Known("dots1", experts.grouped),
    "minimax-m2": Known("minimax_m2", experts.minimax),
    "bailingmoe2": Known("bailing_moe_v2", experts.ling),
    "llama4": Known("llama4_text", experts.llama4, own=frozenset({"feed_forward_length", "attention.sliding_window"})),
    "ernie4_5-moe": Known("ernie4_5_moe", experts.ernie_moe),
    "nemotron_h": Known("nemotron_h", hybrids.nemotron_h, own=HYBRID),
    "nemotron_h_moe": Known("nemotron_h", hybrids.nemotron_h, own=HYBRID),
    "lfm2moe": Known("lfm2_moe", hybrids.lfm2_moe, own=frozenset({"attention.head_count_kv"})),
    "lfm2": Known("lfm2", hybrids.lfm2, own=frozenset({"attention.head_count_kv"})),
    "gemma4": Known(
        "gemma4_text",
        hybrids.gemma4,
        window_every=6,
        own=frozenset({"attention.head_count_kv", "feed_forward_length", "attention.key_length"}),
    ),
}
