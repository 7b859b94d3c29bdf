"""The programs that fine-tune, with what each offers and what it takes unless asked otherwise.

Read in transformers 5.24, PEFT 0.21.2, TRL 1.16.0, accelerate 1.15.0, bitsandbytes 0.50.2, Unsloth 2026.10.9 (and its
zoo) and DeepSpeed 0.19.8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

METHODS = ("full", "lora", "qlora")
TARGETS = ("query_value", "attention", "feed_forward", "all_linear", "all_linear_and_experts")
PRECISIONS = ("16bit", "32bit")
OPTIMIZERS = ("adamw", "adamw_8bit", "paged_adamw", "paged_adamw_8bit", "sgd")
LOSSES = ("full", "tiles", "chunks")
CHECKPOINTS = ("none", "layers", "offloaded")

_ALWAYS = frozenset({"sequence_tokens", "sequences", "accumulation", "optimizer", "checkpointing"})
_ADAPTERS = frozenset({"rank", "targets"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`offers` has the answers to a question that has more than one, `defaults` the program's own answer to each.

    `asks` are the questions beside those that every program has; one that is neither asked nor offered is fixed.
    """

    offers: Mapping[str, tuple[str | int, ...]]
    defaults: Mapping[str, str | int | bool]
    asks: frozenset[str] = frozenset()


# SFTConfig: `max_length` 1024, `gradient_checkpointing` on; TrainingArguments: batch of 8, no accumulation,
# `adamw_torch_fused`; ModelConfig: `lora_r` 16, PEFT's own targets; BitsAndBytesConfig: no double quantisation;
# `create_model_from_path`: "If not explicitly set, `dtype` defaults to 'float32'".
_TRL: Mapping[str, str | int | bool] = {
    "precision": "32bit",
    "double_quantisation": False,
    "optimizer": "adamw",
    "loss": "tiles",
    "checkpointing": "layers",
    "sequence_tokens": 1024,
    "sequences": 8,
    "accumulation": 1,
    "rank": 16,
    "targets": "query_value",
    "zero_stage": 0,
    "devices": 1,
}

PROGRAMS: Mapping[str, Program] = {
    "trl": Program(
        offers={"optimizer": OPTIMIZERS, "loss": ("tiles", "full"), "checkpointing": ("layers", "none")},
        defaults=_TRL,
        asks=frozenset({"precision", "double_quantisation", "loss"}),
    ),
    # `FastLanguageModel.from_pretrained`: 2,048 tokens, 4 bits with double quantisation; `get_peft_model`: rank 16, the
    # seven projections, checkpoints offloaded to RAM; its trainer (models/rl.py): batch of 4, two steps accumulated,
    # `adamw_8bit`.
    "unsloth": Program(
        offers={"optimizer": OPTIMIZERS, "loss": ("chunks",), "checkpointing": ("offloaded", "layers", "none")},
        defaults={
            **_TRL,
            "precision": "16bit",
            "double_quantisation": True,
            "optimizer": "adamw_8bit",
            "loss": "chunks",
            "checkpointing": "offloaded",
            "sequence_tokens": 2048,
            "sequences": 4,
            "accumulation": 2,
            "targets": "all_linear",
        },
    ),
    # bitsandbytes' optimizers cannot step FSDP2's DTensors.
    "fsdp": Program(
        offers={"optimizer": ("adamw", "sgd"), "loss": ("tiles", "full"), "checkpointing": ("layers", "none")},
        defaults={**_TRL, "zero_stage": 3},
        asks=frozenset({"precision", "double_quantisation", "loss", "devices"}),
    ),
    # DeepSpeed keeps the weights in 16 bits and a master copy of what is trained; accelerate asks for stage 2.
    "deepspeed": Program(
        offers={
            "optimizer": ("adamw", "sgd"),
            "loss": ("tiles", "full"),
            "checkpointing": ("layers", "none"),
            "zero_stage": (1, 2, 3),
        },
        defaults={**_TRL, "precision": "16bit", "zero_stage": 2},
        asks=frozenset({"double_quantisation", "loss", "zero_stage", "devices"}),
    ),
}


def questions(program: str, method: str) -> frozenset[str]:
    """The attributes of `Training` that this program lets a reader choose with this method."""
    asked = _ALWAYS | PROGRAMS[program].asks
    if method != "full":
        asked |= _ADAPTERS
    if method != "qlora":
        asked -= {"double_quantisation"}
    return asked
