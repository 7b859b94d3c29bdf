"""llama.cpp's architectures: the model type of each, and the keys of its config.json that others do not have.

Each from its module in llama.cpp's `conversion/` (`set_gguf_parameters`) and what `src/models/` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from calculator.architecture import gguf_classic as classic
from calculator.architecture import gguf_experts as experts
from calculator.architecture import gguf_hybrids as hybrids
from calculator.architecture import gguf_latent as latent
from calculator.architecture import gguf_recurrent as recurrent
from calculator.architecture.gguf_values import Names, Values


class Known(NamedTuple):
    """`model_type` of the config.json; `window_every`: every n-th layer sees all, where the file has no pattern; `own`:
    keys that `more` reads, as their values may differ between layers."""

    model_type: str
    more: Callable[[Values, Names], dict[str, object]] = lambda values, names: {}
    window_every: int = 0
    own: frozenset[str] = frozenset()


HYBRID = frozenset({"attention.head_count_kv", "feed_forward_length"})
KV_HEADS = frozenset({"attention.head_count_kv"})
# Nought in a purely recurrent file, and by layer in OpenELM's.
NO_ATTENTION = frozenset({"attention.head_count", "attention.head_count_kv", "feed_forward_length"})
LATENT = frozenset({"attention.key_length"})
KNOWN: Mapping[str, Known] = {
    "afmoe": Known("afmoe", experts.afmoe, window_every=4),
    "apertus": Known("apertus", classic.biased),
    "arcee": Known("arcee", classic.biased),
    "baichuan": Known("baichuan"),
    "bailingmoe": Known("bailing_moe", experts.deepseek),
    "bailingmoe3": Known("bailing_hybrid", recurrent.bailing_hybrid, own=KV_HEADS),
    "bitnet": Known("bitnet"),
    "bloom": Known("bloom", own=KV_HEADS),
    "chatglm": Known("chatglm", classic.chatglm, own=KV_HEADS),
    "cohere2moe": Known("cohere2_moe", experts.cohere2_moe, window_every=4, own=frozenset({"feed_forward_length"})),
    "dbrx": Known("dbrx", experts.dbrx, own=KV_HEADS | {"feed_forward_length"}),
    "deci": Known("nemotron-nas", classic.deci, own=NO_ATTENTION),
    "deepseek": Known("deepseek", experts.deepseek),
    "deepseek2-ocr": Known("deepseek_ocr2_text", experts.deepseek_ocr),
    "deepseek32": Known("deepseek_v32", latent.indexed),
    "exaone": Known("exaone", classic.biased),
    "exaone-moe": Known("exaone_moe", experts.grouped, window_every=4),
    "falcon": Known("falcon", classic.falcon, own=KV_HEADS),
    "falcon-h1": Known("falcon_h1", recurrent.falcon_h1),
    "gemma3n": Known("gemma3n_text", hybrids.gemma3n, window_every=5, own=frozenset({"feed_forward_length"})),
    "glm5-next": Known("glm5_next_text", latent.glm5_next),
    "glm-dsa": Known("glm_moe_dsa", latent.indexed_where_told),
    "gpt2": Known("gpt2", own=KV_HEADS),
    "grok": Known("grok-1", experts.grok),
    "gptneox": Known("gpt_neox", classic.gpt_neox, own=KV_HEADS),
    "granitehybrid": Known("granitemoehybrid", recurrent.granite_hybrid, own=KV_HEADS),
    "hunyuan-moe": Known("hunyuan_v1_moe", experts.hunyuan, own=frozenset({"feed_forward_length"})),
    "hunyuan_vl": Known("hunyuan_vl_text"),
    "hy_v4": Known("hy_v4", latent.hy_v4),
    "hy_v3": Known("hy_v3", experts.hy_v3),
    "jais2": Known("jais2", classic.biased),
    "jamba": Known("jamba", recurrent.jamba, own=KV_HEADS),
    "kimi-linear": Known("kimi_linear", recurrent.kimi_linear, own=KV_HEADS),
    "maincoder": Known("maincoder"),
    "mamba": Known("mamba", recurrent.mamba, own=NO_ATTENTION),
    "mamba2": Known("mamba2", recurrent.mamba2, own=NO_ATTENTION),
    "mellum": Known("mellum", experts.qwen3_moe, window_every=4),
    "mimo2": Known("mimo_v2_flash", experts.mimo2, own=KV_HEADS),
    "minicpm": Known("minicpm", classic.biased),
    "minicpm3": Known("minicpm3", classic.minicpm3, own=LATENT),
    "minimax-m3": Known("minimax_m3_vl_text", latent.minimax_m3, own=frozenset({"feed_forward_length"})),
    "mistral4": Known("mistral4", latent.latent_alone),
    "mpt": Known("mpt", classic.mpt, own=KV_HEADS | {"feed_forward_length"}),
    "muse-glimmer": Known("muse_glimmer_text", window_every=4),
    "nemotron": Known("nemotron", classic.biased),
    "olmo": Known("olmo"),
    "openelm": Known("openelm", classic.openelm, own=NO_ATTENTION),
    "orion": Known("orion"),
    "paddleocr": Known("paddleocr_vl_text"),
    "pangu-embedded": Known("PanguEmbedded", classic.pangu),
    "phi2": Known("phi", own=KV_HEADS),
    "phimoe": Known("phimoe", classic.phimoe),
    "plamo3": Known("plamo3", window_every=8),
    "qwen": Known("qwen"),
    "spark2_5": Known("spark2_5", window_every=4),
    "stablelm": Known("stablelm", classic.stablelm),
    "starcoder": Known("gpt_bigcode", classic.gpt_bigcode, own=KV_HEADS),
    "talkie": Known("talkie"),
    "xverse": Known("xverse"),
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
    "deepseek2": Known("deepseek_v3", latent.deepseek2),
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
    "deepseek4": Known("deepseek_v4", latent.deepseek4),
    "laguna": Known("laguna", experts.laguna, own=frozenset({"attention.head_count"})),
    "step35": Known("step3p5", experts.step35, own=frozenset({"attention.head_count", "attention.head_count_kv"})),
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
