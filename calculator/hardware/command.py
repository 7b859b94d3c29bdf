"""What commands of all engines are made of: where the weights lie, and how names are written.

Text only; nothing is run. Names come from the catalogue or from readers, so everything is quoted for the place
it stands in. What a reader must replace is listed in `placeholders`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from calculator.architecture.shape import Shape
from calculator.hardware.errors import HardwareError
from calculator.memory import Note

HUBS = ("huggingface", "modelscope")

DTYPES: Mapping[str, str] = {
    "BF16": "bfloat16",
    "FP16": "float16",
    "F16": "float16",
    "FP32": "float32",
    "F32": "float32",
}
"""PyTorch's names of the wide formats."""

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
SEQ2SEQ = "AutoModelForSeq2SeqLM"
AUTO_CLASSES = {"": "AutoModelForCausalLM", "text": SEQ2SEQ, "image": "AutoModelForImageTextToText"}
"""By what an encoder reads (`Shape.reads_first`)."""
SEES_BESIDE = frozenset({"florence2_language", "udop"})
"""Read texts first, and are known to the class for images alone (`models/auto/modeling_auto.py` of 5.24)."""
NO_REPOSITORY = "organisation/model"
NO_DRAFT_REPOSITORY = "organisation/draft-model"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSource:
    """Where the weights lie: the original repository, one of GGUF files, one in the chosen weight format, in Ollama.

    `native_format` is how the original stores its weights (`Shape.native_format`), `native_cache` what it says of its
    cache (`Quantization.cache`). `auto_class` is the class of transformers that loads it and writes; empty where a
    model writes by code of its own.
    """

    name: str
    repository: str | None = None
    gguf: str | None = None
    quantised: str | None = None
    ollama: str | None = None
    native_format: str = "BF16"
    native_cache: str = ""
    multimodal: bool = False
    draft_head: str = ""  # the kind of head (`DraftHead.kind`) that guesses ahead in place of its own layers
    auto_class: str = "AutoModelForCausalLM"

    def __post_init__(self) -> None:
        for field in ("repository", "gguf", "quantised"):
            value = getattr(self, field)
            if value is not None and not REPOSITORY.fullmatch(value):
                raise HardwareError(field, "not_a_repository", value=value)


def auto_class(shape: Shape) -> str:
    """`WeightSource.auto_class`: models that write by diffusion come with their own loop (LLaDA's `generate.py`)."""
    if shape.diffusion:
        return ""
    return AUTO_CLASSES["image" if shape.model_type in SEES_BESIDE else shape.reads_first]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`key` names the program, `language` how to highlight `text` (`shell`, `modelfile`, `python`)."""

    key: str
    language: str
    text: str
    placeholders: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    def extended(self, text: str, placeholders: tuple[str, ...] = ()) -> Command:
        """This command with `text` appended, and further names that a reader must replace."""
        names = dict.fromkeys((*self.placeholders, *placeholders))
        return replace(self, text=self.text + text, placeholders=tuple(names))


def repository_of(source: WeightSource, unknown: str = NO_REPOSITORY) -> tuple[str, tuple[str, ...]]:
    """The repository to load, and the placeholders in it: `unknown` stands where none is known."""
    repository = source.quantised or source.repository
    return (repository, ()) if repository else (unknown, (unknown,))


def slug(name: str) -> str:
    """A name that Ollama accepts: lower case, digits, dots and dashes."""
    return "-".join(re.findall(r"[a-z0-9.]+", name.lower())) or "model"


def file_name(name: str, weight_format: str) -> str:
    """A GGUF file as uploaders like to name it; the exact name is theirs to choose."""
    return f"{slug(name)}-{weight_format}.gguf"
