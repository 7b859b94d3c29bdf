"""Which engines have code for the class that a file names, or that files of its model type do."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import read_config
from calculator.memory import Workload, WorkloadError, estimate
from calculator.memory.engines import engines_for, refusal
from calculator.memory.llama_cpp.convert import converted
from calculator.memory.named_classes import named_classes
from tests.calculator.memory.shapes import catalogued
from tests.reference.coverage.classes import classes_by_type

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "vocab_size": 256,
    "max_position_embeddings": 4096,
}
WRAPPED = {"model_type": "llava", "text_config": LLAMA, "vision_config": {"model_type": "clip_vision_model"}}


def test_the_kept_list_is_what_writes_it() -> None:
    for name, classes in classes_by_type().items():
        shape = read_config(LLAMA)
        object.__setattr__(shape, "file_type", name)
        assert named_classes(shape) == frozenset(classes), name


@pytest.mark.parametrize(
    ("changed", "runs"),
    [
        ({}, True),
        ({"architectures": ["LlamaForCausalLM"]}, True),
        ({"architectures": ["MolmoForCausalLM"]}, False),  # no line in `TEXT_MODEL_MAP`
        ({"architectures": ["LlamaForSequenceClassification"]}, False),  # nor for classifiers but BERT's
        ({"architectures": ["LlamaModel"]}, True),
    ],
)
def test_the_converter_goes_by_the_class(changed: dict[str, Any], runs: bool) -> None:
    assert ("llama.cpp" in engines_for(read_config(LLAMA | changed))) is runs


@pytest.mark.parametrize(
    ("outer", "inner", "runs"),
    [
        ("LlavaForConditionalGeneration", "LlamaForCausalLM", True),
        ("LlavaForConditionalGeneration", None, True),
        ("LlavaForConditionalGeneration", "OPTForCausalLM", False),  # the language model's own class outranks it
        ("GotOcr2ForConditionalGeneration", "LlamaForCausalLM", False),  # no encoder of that name
        ("LlavaLlamaForCausalLM", None, True),  # `docs/multimodal/llava.md`: the language model is cut out
        (None, None, True),
    ],
)
def test_a_language_model_inside_names_its_own_class(outer: str | None, inner: str | None, runs: bool) -> None:
    """`get_model_architecture` in llama.cpp's `conversion/base.py`."""
    named = {"architectures": [outer]} if outer else {}
    text = LLAMA | ({"architectures": [inner]} if inner else {})
    assert ("llama.cpp" in engines_for(read_config(WRAPPED | named | {"text_config": text}))) is runs


@pytest.mark.parametrize("name", ["Step3p7ForConditionalGeneration", "KimiK3ForConditionalGeneration"])
def test_some_wholes_outrank_what_is_inside(name: str) -> None:
    assert name in converted().whole_classes & converted().text_classes


@pytest.mark.parametrize(
    "card",
    [
        *("alephalpha/kolibri-1", "ifm/k2-horizon-7b", "iquest/iquest-q1"),
        *("llava/llava-onevision-qwen2-0-5b-ov", "meituan/longcat-flash-chat", "microsoft/phi-3-5-vision-instruct"),
        *(
            "mistral/mistral-large-4-1t-a52b",
            "nvidia/locateanything-3b",
        ),
        *("skt/a-x-k2", "stepfun/got-ocr2-0", "swissai/apertus-v1-5-8b", "upstage/solar-open2-250b"),
        *("xiaomi/mimo-7b-rl",),
    ],
)
def test_cards_of_which_llama_cpp_has_no_class(card: str) -> None:
    """None of their classes is in `TEXT_MODEL_MAP`, `MMPROJ_MODEL_MAP` or `docs/multimodal/`."""
    error = refusal(catalogued(card), "llama.cpp")
    assert error is not None
    assert error.key in ("model_not_supported", "model_not_known")


@pytest.mark.parametrize(
    "card",
    [
        *("baichuan/baichuan2-7b-chat", "moonshot/kimi-k2-thinking", "minimax/minimax-m1-40k", "moondream/moondream2"),
        *(
            "openbmb/minicpm-v-2-6",
            "mistral/ministral-8b-instruct-2410",
            "internlm/intern-s1",
            "deepseek/deepseek-ocr-2",
        ),
        *("opengvlab/internvl3-8b", "huggingface/smolvlm-256m-instruct", "llava/llava-v1-6-mistral-7b"),
        *("stepfun/step-3-7-flash", "zhipu/glm-5-3-flash", "tencent/hy4-preview"),
        *("liquid/lfm3-1-7b", "recursive/flint", "baidu/qianfan-ocr"),  # their publishers or others offer GGUF files
    ],
)
def test_cards_that_llama_cpp_runs_by_another_name(card: str) -> None:
    assert "llama.cpp" in engines_for(catalogued(card))


@pytest.mark.parametrize(
    ("card", "engine"),
    [("bigscience/bloom-560m", "sglang"), ("tii/falcon-7b", "sglang"), ("liquid/lfm3-1-7b", "vllm")],
)
def test_servers_go_by_the_class_too(card: str, engine: str) -> None:
    """SGLang 0.5.23 has no class for BLOOM and Falcon, and theirs in transformers 5.19 allow no other attention; vLLM
    0.33.0 and transformers 5.17 have none for LFM3."""
    with pytest.raises(WorkloadError) as error:
        estimate(catalogued(card), Workload(engine=engine))
    assert (error.value.field, error.value.key) == ("engine", "model_not_known")


def test_a_file_of_no_known_class_is_left_to_transformers() -> None:
    assert engines_for(read_config(LLAMA | {"model_type": "ember", "architectures": ["EmberForCausalLM"]})) == (
        "transformers",
    )


@pytest.mark.parametrize("named", [{}, {"architectures": ["NewForCausalLM"]}])
def test_what_is_read_as_llama_on_request_is_offered_like_llama(named: dict[str, Any]) -> None:
    unknown = read_config(LLAMA | {"model_type": "new_thing"} | named, assume_standard=True)
    assert engines_for(unknown) == engines_for(read_config(LLAMA))[: len(engines_for(unknown))]
    assert {"llama.cpp", "vllm", "sglang", "transformers"} <= {*engines_for(unknown)}
