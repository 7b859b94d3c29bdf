"""Which classes of transformers 5.24 do otherwise than most while a prompt goes through, by model type."""

from __future__ import annotations

from typing import NamedTuple

from calculator.architecture.shape import Shape


class Scores(NamedTuple):
    """Matrices of heads x tokens x tokens that are alive at once: in the model's own width and in 32 bits. `ran` says
    whether such a model ran on a card."""

    narrow: int
    wide: int
    ran: bool = True


EAGER = {
    **dict.fromkeys(("gemma2", "granite_swa", "granitemoe_swa", "mpt", "vaultgemma", "xglm"), Scores(1, 2)),
    "bloom": Scores(3, 2),
    "deepseek_v4": Scores(2, 2),
    **dict.fromkeys(("gpt_oss", "mimo_v2_flash"), Scores(3, 0)),  # their softmax is not widened
    "t5gemma": Scores(1, 2, ran=False),
    "gpt_neo": Scores(1, 2, ran=False),  # in 32 bits throughout; what the layer before answered is held beside
    "flint": Scores(0, 3, ran=False),  # in 32 bits throughout: with and without the sink, and the softmax
    # sinks stay in 32 bits (`_keep_in_fp32_modules_strict`), and so does what they are joined to
    **dict.fromkeys(("hy_v4", "hy_v4_vl_text"), Scores(2, 2, ran=False)),
    # the bias of distances is a matrix of its own beside those of HY4
    **dict.fromkeys(("inkling2_text", "inkling2_loop_text"), Scores(3, 2, ran=False)),
    "gpt_neox_japanese": Scores(4, 0, ran=False),  # one of them of the layer before
    "openai-gpt": Scores(3, 0, ran=False),
    **dict.fromkeys(("blip", "trocr"), Scores(2, 0, ran=False)),
}
"""Classes without `_supports_sdpa`, in whose layers the scores of all heads are written out. Behind an encoder of
images the decoder's class decides (TrOCR)."""
F32_PRODUCTS = frozenset({"flint", "gpt_neo"})
"""Queries and keys are cast to 32 bits before they are multiplied."""
MASKED_ALWAYS = frozenset({"falcon", "gemma4_unified_text", "glm_moe_dsa", "deepseek_v32"})
"""Classes that write the causal mask out even where nothing but causality is in it."""
UNUSED_MASK = frozenset({"qwen2_moe"})
"""Classes that write out the mask of a window that none of their layers has (`Qwen2MoeModel.forward`)."""
MATH_ATTENTION = frozenset({"falcon"})
"""Classes whose single key and value head PyTorch has no kernel for: it multiplies matrices of 32 bits."""
CAST_ROUTING = frozenset(
    {
        *("qwen2_moe", "qwen3_moe", "qwen3_next", "qwen3_5_moe_text", "qwen3_vl_moe_text", "qwen3_omni_moe_text"),
        *("olmoe", "flex_olmo", "lfm2_moe", "ernie4_5_moe", "ernie4_5_vl_moe_text", "cohere2_moe", "hunyuan_v1_moe"),
        *("granitemoe", "granitemoeshared", "granitemoehybrid", "granitemoe_swa", "jamba", "longcat_flash"),
        *("inkling", "laguna", "mellum", "llama4_text", "gpt_oss"),
    }
)
"""Routers that return their weights in the model's own width; the products of others have 32 bits."""
SHARED_FIRST = frozenset({"qwen2_moe", "qwen3_next", "qwen3_5_moe_text"})
"""Classes that run the shared expert before the routed ones, and hold what it says meanwhile."""
EVERY_EXPERT = frozenset({"llama4_text"})
"""`Llama4TextExperts` multiplies every token with every expert."""
FUSED_LINEAR = frozenset({"qwen3_next"})
"""Classes that project queries, keys, values and gates of linear attention at once, and hold all of it."""
UNGATED_EXPERTS = frozenset({"nemotron_h"})
"""Experts of two matrices."""
STEPWISE_GELU = frozenset({"phi", "gpt2", "gpt_bigcode", "gptj", "gpt_neo", "codegen"})
"""`gelu_new` is written out in PyTorch (`activations.py`, `NewGELUActivation`): four arrays instead of two."""


def eager(shape: Shape) -> Scores | None:
    return EAGER.get(shape.decoder_type or shape.model_type)
