"""Model types whose layers are another's: the code in their repositories is that of Llama, Qwen 3, OLMo 2 or OLMoE
with a name of its own, and each published checkpoint has exactly as many parameters as its sizes come to so (llmfit
1.1.17, `hf_models.json`; `tests/reference/parameters/renamed.jsonl`). A key that such a file has beyond those is
refused as for any other type.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.families.deepseek import V3
from calculator.architecture.families.dense import LLAMA, OLMO2, QWEN2, QWEN3
from calculator.architecture.families.sparse import OLMOE
from calculator.architecture.families.standard import PRE_NORMS, Family, Standard

LIKE_LLAMA = (
    *(
        "apriel",
        "berna",
        "g0nano",
        "gpts2",
        "gpts14m",
        "kfm",
        "kormo",
        "laneformer",
        "maplept",
        "microbanana",
        "nanogpt",
    ),
    *("nano-lm", "olm3_nano", "olmo2_noqknorm_prenorm", "overfitter", "parambharatgen", "resonatex", "rixis1"),
    *("sealglazer", "yasin"),
)
LIKE_QWEN3 = (
    *("bananamind2_medium", "bananamind2_mini", "bananamind2_nano", "bananamind2_pro", "blaze", "cagliostro", "ember"),
    *(
        "ember2",
        "kanana2_tiny",
        "keylm75m",
        "klyra",
        "lam",
        "lowonmind",
        "maincoder",
        "neuron_lm",
        "nova",
        "nullxes_shinra",
        "picolm_v2",
    ),
    *("spark2a", "surjo_exp", "zarya"),
)
FAMILIES: dict[str, Family] = {
    **dict.fromkeys(LIKE_LLAMA, LLAMA),
    **dict.fromkeys(LIKE_QWEN3, QWEN3),
    "aquila3": Standard(qkv_bias=True),
    "joyai_llm_flash": V3,  # `MODEL_REMAPPING` of mlx-lm 0.32.2
    "gravity_moe": V3,  # "the same underlying architecture": Trillion Labs' plug-in for vLLM
    "emo": replace(OLMOE, qk_norm=""),
    "lizzy": OLMO2,
    "tinyllm": QWEN2,
    "instella": replace(OLMO2, norms=PRE_NORMS),
}
