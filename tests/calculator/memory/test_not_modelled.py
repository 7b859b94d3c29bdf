"""What only transformers is known to allocate is not guessed for other engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from calculator.architecture import parse_config_text, read_config
from calculator.memory import Workload, WorkloadError, estimate
from calculator.memory.engines import default_workload, engines_for

MODELS = Path(__file__).parents[3] / "catalog" / "data" / "models"


@pytest.mark.parametrize("slug", ["inkling", "inkling-2-mini", "qwen3-8-flash-next"])
def test_other_engines_say_so(slug: str) -> None:
    (path,) = MODELS.glob(f"*/{slug}/config.json")
    shape = read_config(parse_config_text(path.read_bytes()))
    assert estimate(shape, Workload(engine="transformers", context_tokens=4096)).total_bytes > 0
    for engine in ("llama.cpp", "vllm", "sglang"):
        with pytest.raises(WorkloadError) as error:
            estimate(shape, Workload(engine=engine, context_tokens=4096))
        assert error.value.key in ("model_not_modelled", "model_not_known", "model_not_supported"), engine


@pytest.mark.parametrize(
    ("slug", "runs"),
    [
        ("blip2-opt-2-7b", ("vllm", "sglang", "transformers")),
        ("opt-125m", ("vllm", "sglang", "transformers")),
        ("gpt-neo-125m", ("transformers",)),
        ("gpt-neox-20b", ("llama.cpp", "vllm", "sglang", "transformers", "mlx")),
    ],
)
def test_what_llama_cpp_does_not_convert_is_no_case_for_it(slug: str, runs: tuple[str, ...]) -> None:
    """`TEXT_MODEL_MAP` of llama.cpp's `conversion/__init__.py` has `GPTNeoXForCausalLM`, neither OPT nor GPT-Neo."""
    (path,) = MODELS.glob(f"*/{slug}/config.json")
    shape = read_config(parse_config_text(path.read_bytes()))
    assert engines_for(shape) == runs
    assert default_workload(shape).engine == runs[0]
