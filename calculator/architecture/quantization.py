"""How the checkpoint stores its weights: `torch_dtype` and `quantization_config` -> a format for every tensor."""

from __future__ import annotations

from dataclasses import dataclass

from calculator.architecture.fields import Fields

DTYPES = {
    "bfloat16": "BF16",
    "float16": "F16",
    "half": "F16",
    "float32": "F32",
    "float": "F32",
    "float8_e4m3fn": "FP8",
}


@dataclass(frozen=True, slots=True)
class Storage:
    """`native` is the format of most weights, `base` that of the tensors which are not quantised."""

    native: str
    base: str

    def dtype(self, role: str, kind: str, part: str, routed: bool) -> str:
        return self.base


def read_storage(c: Fields) -> Storage:
    word = c.word("dtype", "bfloat16").removeprefix("torch.")
    base = DTYPES.get(word)
    if base is None:
        c.fault("dtype", "unknown_format", value=word)
        base = "BF16"
    return Storage(base, base)
