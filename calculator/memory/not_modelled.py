"""Model types whose layers one engine keeps in a way that no other does."""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.workload import WorkloadError

NOT_BY_VLLM = frozenset(
    {"deepseek_v41_text", "inkling_text", "inkling2_text", "inkling2_loop_text", "qwen4_exp_text", "zaya"}
    | {
        "emo",
        "granite_switch",
        "huginn_raven",
        "minicpm_sala",
        "nanbeige",
        "ouro",
        "phi3small",
        "pico_decoder",
        "rwkv7",
        "smallthinker",
        "transformer",
        "xing4_0",
    }
)
"""Of these only what transformers allocates was read, by its own code or that of the repository: several short
convolutions beside attention, tables of n-grams, adapters, layers that run several times, compressed caches that
several layers read, and model types that no release of the other engines names."""
BY_TRANSFORMERS_ALONE = NOT_BY_VLLM | {"hrm_text", "iquestloopcoder"}
"""vLLM 0.33.0 keeps a cache for every pass of these two, as transformers does (`hrm_text.py`,
`iquest_loopcoder.py`)."""


def check_modelled(shape: Shape, types: frozenset[str] = BY_TRANSFORMERS_ALONE) -> None:
    """Raise `WorkloadError` for a model type of which this engine's own memory was not read, nor of any that writes by
    diffusion or behind an encoder of texts."""
    if shape.model_type in types or shape.diffusion or shape.reads_first:
        raise WorkloadError("engine", "model_not_modelled", model_type=shape.file_type or shape.model_type)
