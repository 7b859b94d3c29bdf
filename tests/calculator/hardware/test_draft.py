"""A draft model in the commands: each program is told in its own way, or it is said that it takes none."""

from __future__ import annotations

import ast
import json
import shlex
from dataclasses import replace

import pytest

from calculator.hardware import Command, WeightSource, launch_commands
from calculator.memory import Workload

LARGE = WeightSource(name="Qwen3 32B", repository="Qwen/Qwen3-32B")
SMALL = WeightSource(name="Qwen3 0.6B", repository="Qwen/Qwen3-0.6B")


def commands(engine: str, draft: WeightSource = SMALL, large: WeightSource = LARGE) -> dict[str, Command]:
    workload = Workload(engine=engine, vision=large.multimodal)
    return {command.key: command for command in launch_commands(workload, large, draft=draft, draft_format="Q8_0")}


def test_llama_server_names_the_file_and_keeps_all_its_layers_on_the_card() -> None:
    shown = commands("llama.cpp")["llama-server"]
    words = shlex.split(shown.text.splitlines()[-1])
    assert words[words.index("--spec-type") + 1] == "draft-simple"
    assert words[words.index("--spec-draft-model") + 1] == "qwen3-0.6b-Q8_0.gguf"
    assert words[words.index("--spec-draft-ngl") + 1] == "all"
    assert "qwen3-0.6b-Q8_0.gguf" in shown.placeholders


def test_vllm_gets_valid_json() -> None:
    words = shlex.split(commands("vllm")["vllm"].text)
    asked = json.loads(words[words.index("--speculative-config") + 1])
    assert asked["model"] == "Qwen/Qwen3-0.6B"
    assert asked["method"] == "draft_model"


@pytest.mark.parametrize("large", [LARGE, replace(LARGE, multimodal=True)])
def test_the_snippet_loads_the_model_that_it_hands_over(large: WeightSource) -> None:
    text = commands("transformers", large=large)["transformers"].text
    ast.parse(text)
    imports, *_rest, load, generate = text.splitlines()
    assert "AutoModelForCausalLM" in imports
    assert load.startswith("draft = AutoModelForCausalLM.from_pretrained('Qwen/Qwen3-0.6B'")
    assert generate.endswith("assistant_model=draft)")


def test_ollama_takes_none_and_that_is_said() -> None:
    found = commands("llama.cpp")
    assert [note.key for note in found["modelfile"].notes] == ["ollama_defaults", "ollama_no_draft"]
    assert found["ollama"] == launch_commands(Workload(), LARGE)[2]


def test_a_draft_without_a_repository_is_a_placeholder() -> None:
    shown = commands("vllm", WeightSource(name="Small"))["vllm"]
    assert shown.placeholders == ("organisation/draft-model",)
