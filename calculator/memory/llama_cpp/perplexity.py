"""What a format costs in quality, where it was measured.

Perplexity of Llama 3 8B on the test set of WikiText-2, from llama.cpp's `tools/perplexity/README.md`, "LLaMA 3 8b
Scoreboard" (revision f364eb6f of llama.cpp): the mean difference to the model in 16 bits, of which it is
6.2316. Larger models lose less, other families other amounts; the order of the formats holds.
"""

from __future__ import annotations

from collections.abc import Mapping

QUALITY_SOURCE = "https://github.com/ggml-org/llama.cpp/blob/master/tools/perplexity/README.md"
PERPLEXITY = 6.231636  # in f16: 6.233160, less what its own logits lost when they were kept in 16 bits, 0.001524

PLAIN: Mapping[str, float] = {
    "Q8_0": 0.002650,
    "Q6_K": 0.021748,
    "Q5_K_M": 0.056974,
    "Q5_K_S": 0.104964,
    "Q5_1": 0.106223,
    "Q5_0": 0.131591,
    "Q4_K_M": 0.175482,
    "Q4_K_S": 0.268895,
    "Q4_1": 0.451103,
    "Q4_0": 0.468514,
    "Q3_K_L": 0.556242,
    "Q3_K_M": 0.656864,
    "Q3_K_S": 1.632152,
    "Q2_K": 3.519934,
}
"""Mean rise of perplexity in files made without an importance matrix."""

WITH_MATRIX: Mapping[str, float] = {
    "Q4_K_M": 0.151303,
    "Q4_K_S": 0.178064,
    "IQ4_NL": 0.223959,
    "IQ4_XS": 0.228071,
    "Q3_K_L": 0.439590,
    "Q3_K_M": 0.502622,
    "IQ3_M": 0.666694,
    "IQ3_S": 0.733867,
    "IQ3_XS": 0.931409,
    "IQ3_XXS": 1.226803,
    "Q3_K_S": 1.371244,
    "IQ2_M": 2.369166,
    "Q2_K": 2.416191,
    "Q2_K_S": 3.092145,
    "IQ2_S": 3.419148,
    "IQ2_XS": 4.529791,
    "IQ2_XXS": 7.860148,
    "IQ1_M": 19.262089,
    "IQ1_S": 54.462959,
}
"""The same in files made with one of 10 million tokens. Formats that stand here alone were measured in no other way."""


def perplexity_rise(weight_format: str, *, importance_matrix: bool = False) -> float | None:
    """How much larger perplexity is than in 16 bits, as a share (0.028 is 2.8%); None where it was not measured.

    >>> round(perplexity_rise("Q4_K_M"), 3), round(perplexity_rise("Q4_K_M", importance_matrix=True), 3)
    (0.028, 0.024)
    """
    first, second = (WITH_MATRIX, PLAIN) if importance_matrix else (PLAIN, WITH_MATRIX)
    difference = first.get(weight_format, second.get(weight_format))
    return None if difference is None else difference / PERPLEXITY
