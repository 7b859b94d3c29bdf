"""What a text says of engines and of formats, against what the calculator says of the same model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from calculator.architecture import Shape
from calculator.memory import WorkloadError, default_workload
from calculator.memory.engines import ENGINES, refusal, resolve

NAMED: Mapping[str, re.Pattern[str]] = {
    "llama.cpp": re.compile(r"llama\.cpp|\bGGUF\b|LM Studio"),
    "vllm": re.compile(r"\bvLLM\b"),
    "sglang": re.compile(r"\bSGLang\b"),
    "transformers": re.compile(r"\b[Tt]ransformers\b(?! (?:by|take turns))"),
    "mlx": re.compile(r"\b(?:MLX|mlx-lm)\b"),
}
DENIED: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(r"\b(?:no|not|nor|neither|none|never|without|lacks?|branch|fork|port|ported)\b", re.IGNORECASE),
    "zh_hans": re.compile(r"[不没无未]|分支|移植"),
}
SENTENCE = re.compile(r"(?<=[.;])\s+|(?<=[。；])|\n+")
QUANTISED = re.compile(r"[Qq]uantis|\b(?:four|4)[ -]bits?\b|Q4_K_M|量化|[4四] ?位")
PLAIN = re.compile(r"\b(?:BF16|FP16|FP8|FP32)\b|\b(?:16|sixteen)[ -]bits?\b|16 ?位|[Uu]nquantised|[不未]经?量化")
SHOWN = re.compile(r"\{(?:memory|weights)\b")


def engines_without_code(shape: Shape) -> Iterator[str]:
    """Engines that have no code for the model; of one whose memory was not read nobody says that it does not run."""
    for name in ENGINES:
        refused = refusal(shape, name)
        if refused is not None and refused.key != "model_not_modelled":
            yield name


def recommended(text: str, language: str, engines: frozenset[str]) -> Iterator[str]:
    """Sentences that name one of these engines and deny nothing."""
    for sentence in SENTENCE.split(text):
        if not DENIED[language].search(sentence):
            yield from (sentence for name in engines if NAMED[name].search(sentence))


def in_another_format(text: str, shape: Shape, longest: int | None) -> Iterator[str]:
    """Sentences whose figure is in another format than they say: as the page shows it first (`figures_in_text`)."""
    workload = default_workload(shape, longest)
    try:
        in_16_bits = resolve(ENGINES[workload.engine], shape, workload).weight_format in ("BF16", "FP16", "F32")
    except WorkloadError:
        return
    right, wrong = (PLAIN, QUANTISED) if in_16_bits else (QUANTISED, PLAIN)
    for sentence in SENTENCE.split(text):
        if SHOWN.search(sentence) and wrong.search(sentence) and not right.search(sentence):
            yield sentence
