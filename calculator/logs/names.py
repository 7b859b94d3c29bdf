"""Names of models as files, repositories and engines write them."""

from __future__ import annotations

import re

LONGEST = 200
SHARD = re.compile(r"-\d{5}-of-\d{5}$")
REPOSITORY_CACHE = re.compile(r"models--([\w.-]{1,90}?)--([\w.-]{1,90})")
PRESET = re.compile(
    r"(?<![A-Za-z0-9])((?:T?[QK]|IQ|TQ)[1-8]_(?:K(?:_(?:XXS|XXL|XS|XL|S|M|L))?|NL|XXS|XS|S|M|[01])|MXFP4(?:_MOE)?|NVFP4|BF16|F16|F32|FP16)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
OWN_MIXTURE = re.compile(r"(?<![A-Za-z0-9])(?:UD|APEX|DWQ)[-_]|_(?:XL|XXL)(?![A-Za-z0-9])", re.IGNORECASE)
"""Mixtures that are not llama-quantize's own: Unsloth's dynamic files, sizes that no preset has."""

STORAGE = re.compile(
    r"(?:[-_.](?:gguf|ud|i1|imatrix|fp8|fp4|nvfp4|mxfp4|awq|gptq|int[48]|w[48]a(?:16|8)|bnb|[48]bit|dynamic|block|quantized|autoround|qat|marlin|mlx|mtp|bf16|fp16|f16|exl[23]|hf))+$",
    re.IGNORECASE,
)

FILE_TYPES = {
    "ALL F32": "F32",
    "MOSTLY F16": "F16",
    "Q2_K - MEDIUM": "Q2_K",
    "Q2_K - SMALL": "Q2_K_S",
    "Q3_K - SMALL": "Q3_K_S",
    "Q3_K - MEDIUM": "Q3_K_M",
    "Q3_K - LARGE": "Q3_K_L",
    "Q4_K - SMALL": "Q4_K_S",
    "Q4_K - MEDIUM": "Q4_K_M",
    "Q5_K - SMALL": "Q5_K_S",
    "Q5_K - MEDIUM": "Q5_K_M",
    "IQ3_S MIX": "IQ3_M",
    "MXFP4 MOE": "MXFP4_MOE",
}
"""`llama_model_ftype_name` in llama.cpp's `src/llama-model-loader.cpp`, where it differs from the preset's name."""


def preset_of_type(said: str) -> str:
    """The preset of what llama.cpp prints as a file's type.

    >>> preset_of_type("Q4_K - Medium"), preset_of_type("IQ4_XS - 4.25 bpw"), preset_of_type("(guessed) Q6_K")
    ('Q4_K_M', 'IQ4_XS', 'Q6_K')
    """
    plain = re.sub(r" - [\d.]{1,8} bpw| ?\(guessed\) ?|, ?guessed", "", said[:60], flags=re.IGNORECASE).strip().upper()
    return FILE_TYPES.get(plain, plain)


def preset_of_name(name: str) -> str:
    """The preset in the name of a file, empty where there is none.

    >>> preset_of_name("Qwen3-8B-Q4_K_M.gguf"), preset_of_name("gemma-3-27b-it-UD-Q5_K_XL.gguf")
    ('Q4_K_M', 'Q5_K_XL')
    """
    found = PRESET.findall(name[-LONGEST:])
    return found[-1].upper() if found else ""


def is_own_mixture(name: str) -> bool:
    """Whether a file's name says that its mixture is not llama-quantize's own."""
    return OWN_MIXTURE.search(_last(name)) is not None


def bare_names(written: str) -> tuple[str, ...]:
    """A model's names from a path, a repository or a title: the repository where there is one, then the bare name.

    Directories say who and where somebody is, so they are dropped.

    >>> bare_names("/home/ann/models/Qwen3-8B-UD-Q4_K_XL-00001-of-00002.gguf")
    ('Qwen3-8B',)
    >>> bare_names("Qwen/Qwen3-8B-FP8"), bare_names("/root/.cache/hub/models--Qwen--Qwen3-8B/snapshots/b968826d9c46")
    (('Qwen/Qwen3-8B-FP8', 'Qwen3-8B'), ('Qwen/Qwen3-8B', 'Qwen3-8B'))
    """
    written = written.strip().replace("\\", "/")[:LONGEST]
    if cached := REPOSITORY_CACHE.search(written):
        written = f"{cached[1]}/{cached[2]}"
    names = []
    if re.fullmatch(r"[\w.-]{1,90}/[\w.-]{1,90}(?::[\w.-]{1,40})?", written) and not written.startswith(
        (".", "models/")
    ):
        names.append(written.partition(":")[0])
    last = SHARD.sub("", re.sub(r"\.(?:gguf|bin)$", "", _last(written), flags=re.IGNORECASE))
    bare = STORAGE.sub("", PRESET.sub("", last).rstrip("-_. "))
    if bare and not bare.startswith("sha256-") and not re.fullmatch(r"[0-9a-f]{12,64}", bare):
        names.append(bare)
    return tuple(dict.fromkeys(names))


def _last(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2][-LONGEST:]
