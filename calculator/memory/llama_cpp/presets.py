"""The presets of `llama-quantize` and the type each starts from, largest first.

Source: `llama_ftype_get_default_type` in `src/llama-quant.cpp`. Which tensors deviate from it: `mixture.py`.
"""

from __future__ import annotations

USUAL = "Q4_K_M"
"""The preset of most published files."""

STORED = "NVFP4"
"""The checkpoint as it is: `convert_hf_to_gguf.py` repacks what is NVFP4 there, and no preset makes it."""

OWN_FILE = "GGUF"
"""The reader's own file as its header says, tensor by tensor."""

DEFAULT_TYPE: dict[str, str] = {
    "F32": "F32",
    "F16": "F16",
    "BF16": "BF16",
    "Q8_0": "Q8_0",
    "Q6_K": "Q6_K",
    "Q5_K_M": "Q5_K",
    "Q5_K_S": "Q5_K",
    "Q5_1": "Q5_1",
    "Q5_0": "Q5_0",
    "Q4_K_M": "Q4_K",
    "Q4_K_S": "Q4_K",
    "Q4_1": "Q4_1",
    "Q4_0": "Q4_0",
    "IQ4_NL": "IQ4_NL",
    "IQ4_XS": "IQ4_XS",
    "MXFP4_MOE": "MXFP4",
    STORED: "BF16",  # what the checkpoint has not narrowed itself
    OWN_FILE: "BF16",  # never asked: its header names the type of each
    "Q3_K_L": "Q3_K",
    "Q3_K_M": "Q3_K",
    "Q3_K_S": "Q3_K",
    "IQ3_M": "IQ3_S",
    "IQ3_S": "IQ3_S",
    "IQ3_XS": "IQ3_S",
    "IQ3_XXS": "IQ3_XXS",
    "Q2_K": "Q2_K",
    "Q2_K_S": "Q2_K",
    "IQ2_M": "IQ2_S",
    "IQ2_S": "IQ2_XS",
    "IQ2_XS": "IQ2_XS",
    "IQ2_XXS": "IQ2_XXS",
    "TQ2_0": "TQ2_0",
    "TQ1_0": "TQ1_0",
    "IQ1_M": "IQ1_M",
    "IQ1_S": "IQ1_S",
}

# Cache types of `--cache-type-k` and `--cache-type-v` (`kv_cache_types` in `common/arg.cpp`), in their spelling.
KV_TYPE: dict[str, str] = {
    "f32": "F32",
    "f16": "F16",
    "bf16": "BF16",
    "q8_0": "Q8_0",
    "q5_1": "Q5_1",
    "q5_0": "Q5_0",
    "q4_1": "Q4_1",
    "q4_0": "Q4_0",
    "iq4_nl": "IQ4_NL",
}
UNQUANTISED = frozenset({"f32", "f16", "bf16"})
