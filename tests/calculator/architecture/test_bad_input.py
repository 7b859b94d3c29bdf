"""A config that cannot be read says which key is at fault, quickly and in little memory."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calculator.architecture import ConfigError, parse_config_text, read_config

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
}
MIXTRAL = {**LLAMA, "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}


QWEN = {**LLAMA, "model_type": "qwen", "num_key_value_heads": None}


def quantised(**quantization: object) -> dict[str, Any]:
    return {**LLAMA, "quantization_config": quantization}


def fault(config: Any, **options: bool) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        read_config(config, **options)
    return caught.value.key, caught.value.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("{", "not_json", id="cut off"),
        pytest.param("", "not_json", id="empty"),
        pytest.param("[]", "not_an_object", id="a list"),
        pytest.param("null", "not_an_object", id="null"),
        pytest.param(b"\xfa{}", "not_utf8", id="not text"),
        pytest.param(b"\xff\xfe{}", "is_utf16", id="UTF-16"),
        pytest.param(" " * 50_000_000, "too_large", id="50 MB"),
        pytest.param('{"a":' * 10_000 + "1" + "}" * 10_000, "too_deep", id="10,000 deep"),
        pytest.param("[" * 400_000, "too_deep", id="brackets"),
        pytest.param('{"a": [' + "[]," * 200_000 + "[]]}", "too_many", id="200,002 lists"),
        pytest.param('{"hidden_size": ' + "9" * 500_000 + "}", "number_too_long", id="long number"),
        pytest.param('{"hidden_size": NaN}', "not_a_number", id="NaN"),
        pytest.param('{"a": "' + '\\"' * 400_000, "not_json", id="open string"),
        pytest.param('{"model_type": "\\ud800"}', "not_utf8", id="half a surrogate pair"),
    ],
)
def test_text_that_is_no_config(text: str | bytes, reason: str) -> None:
    started = time.process_time()
    tracemalloc.start()
    with pytest.raises(ConfigError) as caught:
        parse_config_text(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.reason == reason
    assert time.process_time() - started < 1
    assert peak < 20_000_000


def test_nan_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config_text('{"text_config": {"hidden_size": NaN}}')
    assert caught.value.key == "text_config.hidden_size"


@pytest.mark.parametrize(
    "key", ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size"]
)
def test_a_needed_key_is_missing(key: str) -> None:
    config = {name: value for name, value in LLAMA.items() if name != key}
    assert fault(config) == (key, "missing")


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """`"max_position_embeddings": 1000000.0` stands in published files, and 4096.0 is 4096."""
    floats = {key: float(value) if type(value) is int else value for key, value in LLAMA.items()}
    assert read_config(floats).tensors == read_config(LLAMA).tensors


@pytest.mark.parametrize("value", ["64", 64.5, True, [64], {"a": 64}, float("nan"), float("inf")])
def test_sizes_are_whole_numbers(value: object) -> None:
    assert fault({**LLAMA, "hidden_size": value}) == ("hidden_size", "not_an_integer")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden_size", 0),
        ("hidden_size", -64),
        ("num_hidden_layers", 10**9),
        ("num_hidden_layers", 513),  # LLAMA_MAX_LAYERS and one more
        ("num_attention_heads", 10**9),
        ("max_position_embeddings", 10**18),
        ("vocab_size", 10**18),
        ("num_hidden_layers", -1),
    ],
)
def test_sizes_have_bounds(key: str, value: int) -> None:
    assert fault({**LLAMA, key: value}) == (key, "out_of_range")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config({**LLAMA, "hidden_size": "x", "vocab_size": -1, "num_hidden_layers": None})
    assert {fault.key for fault in caught.value.faults} == {"hidden_size", "vocab_size", "num_hidden_layers"}


def test_a_file_full_of_faults_gets_a_short_answer() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config({**LLAMA, **{f"hidden_size_{index}": 8 for index in range(5000)}})
    assert len(caught.value.faults) == 100
    assert len(str(caught.value)) < 10_000


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ("model_type", "missing")),
        ({"model_type": 7}, ("model_type", "not_a_word")),
        ({**LLAMA, "model_type": "gpt_5"}, ("model_type", "unknown_model_type")),
        ({"model_type": "other_vl", "text_config": LLAMA}, ("model_type", "unknown_model_type")),
        (
            {"model_type": "mistral3", "text_config": {**LLAMA, "model_type": "x"}},
            ("text_config.model_type", "unknown_model_type"),
        ),
        ({"model_type": "mistral3", "text_config": 3}, ("text_config", "not_an_object")),
        ({**LLAMA, "num_experts": 8}, ("num_experts", "unknown_key")),
        ({**LLAMA, "my_lora_rank": 8}, ("my_lora_rank", "unknown_key")),
        ({**LLAMA, "engram_layer_ids_size": 8}, ("engram_layer_ids_size", "unknown_key")),
        ({**LLAMA, "num_key_value_heads": 3}, ("num_key_value_heads", "does_not_divide")),
        (
            {**LLAMA, "layer_types": ["full_attention", "telepathy", "full_attention"]},
            ("layer_types", "unknown_layer_kind"),
        ),
        ({**LLAMA, "layer_types": ["mamba"] * 3}, ("layer_types", "unknown_layer_kind")),
        ({**LLAMA, "layer_types": ["full_attention"]}, ("layer_types", "wrong_length")),
        ({**LLAMA, "layer_types": [1, 2, 3]}, ("layer_types", "not_a_list_of_words")),
        ({**LLAMA, "attention_bias": "yes"}, ("attention_bias", "not_a_boolean")),
        ({**LLAMA, "torch_dtype": "float17"}, ("torch_dtype", "unknown_format")),
        (quantised(quant_method="gptq", bits=[3]), ("quantization_config.bits", "unknown_format")),
        (quantised(quant_method="gptq", dynamic=[3]), ("quantization_config.dynamic", "not_an_object")),
        (quantised(quant_method="awq", bits="4"), ("quantization_config.bits", "unknown_format")),
        (quantised(quant_method="gptq", bits=4, group_size=10**18), ("quantization_config.group_size", "out_of_range")),
        (quantised(quant_method="gptq", bits=4, group_size="x"), ("quantization_config.group_size", "not_an_integer")),
        (
            quantised(quant_method="fp8", modules_to_not_convert=5),
            ("quantization_config.modules_to_not_convert", "not_a_list_of_words"),
        ),
        (
            quantised(quant_method="fp8", weight_block_size=[0, "x"]),
            ("quantization_config.weight_block_size", "unsupported_value"),
        ),
        ({**QWEN, "hidden_size": 7}, ("num_attention_heads", "out_of_range")),
        ({**MIXTRAL, "num_experts_per_tok": 9}, ("num_experts_per_tok", "out_of_range")),
        ([], ("", "not_an_object")),
    ],
)
def test_what_is_unknown_is_named(config: Any, expected: tuple[str, str]) -> None:
    assert fault(config) == expected


@pytest.mark.parametrize(
    "pattern",
    ["re:(.+)+x", "re:(a|a)*b", "re:[", "re:" + ".*" * 30, "*a" * 30, "re:(?=.*x).*", "re:" + ".?" * 40 + "#"],
)
def test_a_pattern_that_could_take_forever_is_not_tried(pattern: str) -> None:
    config = {**LLAMA, "quantization_config": {"quant_method": "fp8", "ignore": [pattern]}}
    assert fault(config) == ("quantization_config.ignore", "unsupported_value")


@pytest.mark.parametrize("pattern", ["re:.*.*.*.*{}#", "re:.*.*.*{}#", "*{}*#*"])
def test_many_patterns_that_take_long_together_are_not_tried(pattern: str) -> None:
    names = [pattern.format(number) for number in range(200)]
    config = {**LLAMA, "quantization_config": {"quant_method": "fp8", "ignore": names}}
    assert fault(config) == ("quantization_config.ignore", "unsupported_value")


def test_as_many_simple_patterns_are() -> None:
    names = [f"model.layers.{layer}.self_attn*" for layer in range(200)]
    shape = read_config({**LLAMA, "quantization_config": {"quant_method": "fp8", "ignore": names}})
    assert {tensor.dtype for tensor in shape.tensors if tensor.role == "attn_q"} == {"BF16"}


def test_standard_keys_are_assumed_on_request_and_it_is_said() -> None:
    shape = read_config({**LLAMA, "model_type": "gpt_5"}, assume_standard=True)
    assert shape.assumptions == ("standard_decoder",)
    assert shape.total_parameters == read_config(LLAMA).total_parameters
    assert read_config(LLAMA).assumptions == ()


def test_an_assumed_type_still_refuses_what_it_cannot_read() -> None:
    assert fault({**LLAMA, "model_type": "gpt_5", "num_experts": 8}, assume_standard=True) == (
        "num_experts",
        "unknown_key",
    )


@pytest.mark.parametrize(
    "harmless",
    [
        {"bos_token_id": 1, "eos_token_id": [2, 3], "pad_token_id": 0},
        {"attention_dropout": 0.1, "hidden_dropout_prob": 0.0, "initializer_range": 0.02},
        {"rope_theta": 10000, "rope_scaling": {"type": "yarn", "factor": 4}, "original_max_position_embeddings": 4096},
        {
            "use_cache": True,
            "transformers_version": "4.51.0",
            "architectures": ["LlamaForCausalLM"],
            "auto_map": {"a": "b"},
        },
        {"num_experts": None, "num_local_experts": 0, "sliding_window": None, "mlp_layer_types": []},
        {"num_beams": 1, "no_repeat_ngram_size": 0, "top_k": 50, "id2label": {"0": "x"}, "chunk_size_feed_forward": 0},
    ],
)
def test_keys_without_shape_are_passed_over(harmless: dict[str, Any]) -> None:
    assert read_config({**LLAMA, **harmless}).tensors == read_config(LLAMA).tensors


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=300)
@given(
    key=st.sampled_from(sorted({*MIXTRAL, "head_dim", "sliding_window", "layer_types", "quantization_config"})),
    value=JSON,
)
def test_any_value_is_read_or_refused(key: str, value: object) -> None:
    try:
        shape = read_config({**MIXTRAL, key: value})
    except ConfigError:
        return  # anything else is a fault of the reader
    assert 0 < shape.active_parameters <= shape.total_parameters


@settings(max_examples=200)
@given(text=st.text(max_size=40) | st.builds(json.dumps, JSON))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        config = parse_config_text(text)
    except ConfigError:
        return  # anything else is a fault of the parser
    assert isinstance(config, dict)
