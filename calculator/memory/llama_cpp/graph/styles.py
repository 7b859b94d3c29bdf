"""What a builder in `src/models/*.cpp` does that the tensors of a model do not tell. One line a model type."""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    norm: str = "rms"
    parallel: bool = False  # attention and feed-forward read the same normalised input
    attention_first: bool = False  # and the feed-forward network's result is added to the attention's
    scales_input: bool = False
    scales_queries: bool = False
    norm_after_rope: bool = False
    norms_values: bool = False
    capped: bool = False
    cuts: bool = True  # the last layer drops rows before its feed-forward network
    norms_rows: bool = False  # of a last layer that drops none, the output norm reads only the rows asked for
    cuts_sum: bool = False  # after the residual is added
    probabilities: str = ""  # sigmoid where experts are chosen with a bias, else soft-max
    weigh_first: bool = False
    normalises: bool = True  # the weights of the chosen experts add up to one
    shared_first: bool = False
    rotary: str = "all"  # "windowed": only where a layer has a window, "three_of_four", "none"
    tempered: bool = False  # queries without rotation are scaled by position (Llama 4)
    residual_first: bool = False  # added to, not added: a sum is written over its first summand
    residual_first_fed: bool = False  # the same after the feed-forward network alone
    decompresses: bool = False
    repeats: bool = False  # keys of a delta net are repeated for every value head
    unary: tuple[str, ...] = ("unary",)


_STYLES: dict[str, Style] = {
    "afmoe": Style(rotary="windowed", scales_input=True),
    "cohere": Style(norm="layer", parallel=True),
    "cohere2": Style(norm="layer", parallel=True, rotary="windowed"),
    "ernie4_5_moe": Style(probabilities="soft_max"),
    "exaone4": Style(rotary="windowed"),
    "falcon": Style(norm="layer", parallel=True),
    "falcon_h1": Style(cuts_sum=True),  # falcon-h1.cpp
    "olmoe": Style(normalises=False),  # olmoe.cpp
    "phi": Style(norm="layer", parallel=True, attention_first=True),
    "phi3": Style(scales_queries=True, residual_first_fed=True),
    "gemma": Style(scales_input=True, scales_queries=True),
    "gemma2": Style(scales_input=True, scales_queries=True, capped=True),
    "gemma3_text": Style(scales_input=True, scales_queries=True),
    "gemma4_text": Style(scales_input=True, norms_values=True, cuts=False),
    "gemma4_unified_text": Style(scales_input=True, norms_values=True, cuts=False),
    "gpt_oss": Style(cuts=False, norms_rows=True, probabilities="late", normalises=False),  # openai-moe.cpp
    "grok-1": Style(scales_input=True, capped=True),  # grok.cpp
    "hunyuan_v1_dense": Style(norm_after_rope=True),
    "hunyuan_v1_moe": Style(norm_after_rope=True, shared_first=True),
    "hy_v3": Style(cuts=False),  # hy-v3.cpp
    "jamba": Style(rotary="none", residual_first=True, normalises=False),  # jamba.cpp
    "lfm2": Style(residual_first=True),
    "lfm2_moe": Style(residual_first=True),
    "llama4_text": Style(rotary="windowed", tempered=True, probabilities="unary", weigh_first=True, normalises=False),
    "minicpm3": Style(decompresses=True),
    "nemotron_h": Style(rotary="none", cuts=False, probabilities="unary", unary=("unary", "sqr")),
    "deepseek_v3": Style(probabilities="unary"),
    "smollm3": Style(rotary="three_of_four"),
    "step3p5": Style(cuts=False, norms_rows=True),  # step35.cpp
    "qwen3_5_text": Style(cuts=False),
    "qwen3_5_moe_text": Style(cuts=False),
    "qwen2_moe": Style(normalises=False),  # qwen2moe.cpp
    "qwen3_next": Style(cuts=False, repeats=True),
}


def style_of(model_type: str, layer_norm: bool = False) -> Style:
    style = _STYLES.get(model_type, Style())
    return style._replace(norm="layer") if layer_norm else style
