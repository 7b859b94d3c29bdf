"""What stands on top of the layers, and whether it is the embedding once more."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import ConfigError, Shape, read_config
from calculator.memory import Workload, estimate
from tests.calculator.memory.shapes import catalogued_config

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 1000,
    "max_position_embeddings": 2048,
}


def head(shape: Shape) -> set[tuple[str, tuple[int, ...]]]:
    return {(t.role, t.shape) for t in shape.tensors if t.layer is None and t.role.endswith("output")}


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        ("LlamaForCausalLM", {}, {("output", (1000, 128))}),
        ("GPT2LMHeadModel", {}, {("output", (1000, 128))}),
        ("LlamaModel", {}, set()),
        ("LlamaForSequenceClassification", {"num_labels": 1}, {("cls.output", (1, 128))}),
        ("LlamaForSequenceClassification", {"id2label": {"0": "a", "1": "b", "2": "c"}}, {("cls.output", (3, 128))}),
        ("LlamaForTokenClassification", {}, {("cls.output", (2, 128))}),
        # THUDM/glm-4-9b-chat names its bare class and maps the one that generates.
        (
            "ChatGLMModel",
            {"auto_map": {"AutoModelForCausalLM": "m.ChatGLMForConditionalGeneration"}},
            {("output", (1000, 128))},
        ),
    ],
)
def test_the_class_decides_the_head(name: str, more: dict[str, Any], expected: set[Any]) -> None:
    shape = read_config({**LLAMA, **more, "architectures": [name]})
    assert head(shape) == expected
    assert (f"no_language_head:{name}" in shape.assumptions) == (("output", (1000, 128)) not in expected)


@pytest.mark.parametrize(
    "name",
    [
        "LlamaForCausalLMEagle",
        "EagleLlamaForCausalLM",
        "LlamaForCausalLMEagle3",
        "DFlashDraftModel",
        "MedusaModel",
        "MiMoMTPModel",
    ],
)
def test_a_draft_head_is_no_model(name: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_config({**LLAMA, "architectures": [name]})
    assert (error.value.key, error.value.reason) == ("architectures", "draft_head")


def test_a_model_without_a_head_is_answered_by_every_engine() -> None:
    bare = read_config({**LLAMA, "architectures": ["LlamaModel"]})
    whole = read_config({**LLAMA, "architectures": ["LlamaForCausalLM"]})
    for engine in ("llama.cpp", "vllm", "sglang", "transformers", "mlx"):
        workload = Workload(engine=engine, context_tokens=1024)
        assert estimate(bare, workload).file_bytes < estimate(whole, workload).file_bytes


@pytest.mark.parametrize(
    ("name", "outside", "inside", "expected"),
    [
        # Outside decides, and where it says nothing its class: False (transformers 5.24.0, Qwen3VLMoeConfig).
        ("qwen3-vl-30b-a3b-instruct", None, None, False),
        ("qwen3-vl-30b-a3b-instruct", None, True, False),
        ("qwen3-vl-30b-a3b-instruct", True, False, True),
        ("llama-4-scout-instruct", None, True, False),
        # Gemma's language model decides itself, and ties where nothing is said.
        ("gemma-3-27b-it", None, None, True),
        ("gemma-3-27b-it", True, False, False),
        ("gemma-3-27b-it", False, None, False),
        ("gemma-4-e4b-it", None, None, True),
        # "BC: pre-v5 saves placed `tie_word_embeddings` inside text_config" (Qwen2_5_VLConfig.__post_init__).
        ("glm-4-1v-9b-thinking", False, True, True),
        ("glm-4-1v-9b-thinking", False, None, False),
    ],
)
def test_tied_outside_or_inside(name: str, outside: bool | None, inside: bool | None, expected: bool) -> None:
    config: dict[str, Any] = {k: v for k, v in reference_config(name).items() if k != "tie_word_embeddings"}
    text = {k: v for k, v in config["text_config"].items() if k != "tie_word_embeddings"}
    text |= {} if inside is None else {"tie_word_embeddings": inside}
    config |= {"text_config": text} | ({} if outside is None else {"tie_word_embeddings": outside})
    assert read_config(config).tied_embeddings is expected


def test_llama_cpp_has_no_head_of_gemma_2() -> None:
    """`conversion/gemma.py`, `modify_tensors`: lm_head.weight is dropped; other engines keep it."""
    config = catalogued_config("google/gemma-2-2b-it")
    tied, untied = (read_config(config | {"tie_word_embeddings": value}) for value in (True, False))
    for engine, same in (("llama.cpp", True), ("vllm", False)):
        sizes = [estimate(shape, Workload(engine=engine, context_tokens=4096)).file_bytes for shape in (tied, untied)]
        assert (sizes[0] == sizes[1]) is same
