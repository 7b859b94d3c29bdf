"""Which weights Huawei's cards multiply: llama.cpp's back end for them, CANN, has kernels for few types.

`ggml_backend_cann_supports_op` in `ggml/src/ggml-cann/ggml-cann.cpp` (MUL_MAT; of experts, MUL_MAT_ID, not BF16, which
is not told apart here), `docs/backend/CANN.md`. Weights of any other type load all the same, and the processor
multiplies them: with Q4_K_M the card stands idle, and a 310P wrote 2.45 tokens a second of a 4B
(ggml-org/llama.cpp#18797).
"""

from __future__ import annotations

from collections.abc import Iterator

from calculator.hardware.cards import Card
from calculator.hardware.reason import ON_PROCESSOR, Reason
from calculator.memory.llama_cpp.presets import DEFAULT_TYPE, OWN_FILE, STORED

VENDOR = "huawei"
KERNELS = ("Q4_0", "Q8_0", "F16", "BF16", "F32")
KERNELS_OF_310P = ("F16", "F32")


def reasons(engine: str, card: Card, weight_format: str) -> Iterator[Reason]:
    """That the card does not compute in `weight_format`: what most tensors of a file in it are made of decides, so a
    Q4_0 whose output layer is Q6_K passes. Which types a reader's own file is made of is not told here."""
    if weight_format == OWN_FILE:
        yield Reason("format_support_unknown", {"format": weight_format})
        return
    kernels = KERNELS_OF_310P if "310P" in card.name else KERNELS
    if weight_format == STORED or DEFAULT_TYPE.get(weight_format) not in kernels:
        yield Reason(ON_PROCESSOR, {"format": weight_format, "engine": engine, "computed": " / ".join(kernels)})
