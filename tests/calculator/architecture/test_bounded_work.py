"""What a small file can make a reader repeat is bounded, also where two counts multiply; and no value is a crash."""

from __future__ import annotations

import tracemalloc
from copy import deepcopy
from math import inf
from sys import getsizeof
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config, read_draft_head
from calculator.architecture.methods import rules_of
from calculator.architecture.rules import together
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from tests.calculator.architecture.code_files import HRM, HUGINN, IQUEST
from tests.calculator.architecture.encoder_files import CHAMELEON
from tests.calculator.architecture.test_bad_input import LLAMA
from tests.calculator.architecture.test_image_readers import PUBLISHED as SEEING
from tests.calculator.architecture.test_published_beside import PARSE, switch
from tests.calculator.memory.shapes import catalogued_config

GRANITE_VISION: dict[str, Any] = {
    "model_type": "granite4_vision",
    "text_config": {**LLAMA, "model_type": "granite4_vision_text"},
    "vision_config": {"model_type": "siglip_vision_model", "num_hidden_layers": 27},
    "downsample_rate": "4/8",
    "deepstack_layer_map": [[-19, 9], [-13, 6], [-7, 3], [-1, 0]],
    "qformer_config": {"num_hidden_layers": 1, "hidden_size": 1152, "encoder_hidden_size": 1152},
}


UDOP: dict[str, Any] = {
    "model_type": "udop",
    "d_model": 64,
    "d_ff": 128,
    "num_layers": 2,
    "num_heads": 2,
    "vocab_size": 100,
}
SPARSE = ["compressed_sparse_attention"] * 2
V4_FLASH = catalogued_config("deepseek/deepseek-v4-flash-0731")


def changed(config: dict[str, Any], **values: Any) -> dict[str, Any]:
    """`a__b` is the key b of the part a."""
    config = deepcopy(config)
    for key, value in values.items():
        *parts, name = key.split("__")
        part = config
        for one in parts:
            part = part[one]
        part[name] = value
    return config


@pytest.mark.parametrize(
    ("config", "key"),
    [
        *(
            pytest.param(changed(HUGINN, **{f"n_layers_in_{part}": 2**27}), f"n_layers_in_{part}", id=part)
            for part in ("prelude", "recurrent_block", "coda")
        ),
        pytest.param(changed(HRM, num_hidden_layers=512, H_cycles=64, L_cycles=1), "num_hidden_layers", id="HRM"),
        pytest.param(changed(IQUEST, num_hidden_layers=512, loop_num=64), "num_hidden_layers", id="IQuest"),
        pytest.param(
            changed(CHAMELEON, vq_config__channel_multiplier=[1] * 2000, vq_config__num_res_blocks=512),
            "vq_config.channel_multiplier",
            id="stages of an image tokeniser",
        ),
        pytest.param(
            changed(
                GRANITE_VISION, deepstack_layer_map=[[i, i] for i in range(512)], qformer_config__num_hidden_layers=512
            ),
            "deepstack_layer_map",
            id="queries for each layer read",
        ),
        pytest.param(
            changed(catalogued_config("meituan/longcat-2-0"), hidden_size=2**20, oe_neighbor_num=2, oe_split_num=2**20),
            "oe_split_num",
            id="tables of n-grams",
        ),
        pytest.param(
            changed(V4_FLASH, dspark_markov_rank=64, compress_ratios=[4] * 20_000),
            "compress_ratios",
            id="layers that guess",
        ),
        pytest.param(
            changed(SEEING["swin and bert"][0], encoder__depths=[1] * 511, encoder__num_heads=[1] * 511),
            "encoder.depths",
            id="stages of an encoder, each twice as wide",
        ),
        pytest.param(
            changed(catalogued_config("motif/motif-3"), mhc_expansion_rate=2**27),
            "mhc_expansion_rate",
            id="streams around a part",
        ),
        pytest.param(changed(PARSE, num_extra_heads=2**27), "num_extra_heads", id="heads beside an output"),
        pytest.param(
            changed(PARSE, encoder__args__teachers=[{"name": str(i)} for i in range(5000)]),
            "encoder.args.teachers",
            id="classes of an encoder",
        ),
        pytest.param(changed(UDOP, relative_bias_args=[{}] * 5000), "relative_bias_args", id="tables of distances"),
        pytest.param(
            changed(catalogued_config("dotsstudio/dots3-note-prev"), vision_config__pyramid_num_routed=[4] * 5000),
            "vision_config.pyramid_num_routed",
            id="experts by layer of an encoder",
        ),
    ],
)
def test_what_multiplies_is_refused_by_name(config: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(config)
    assert caught.value.key == key


def test_a_list_of_one_name_is_that_name() -> None:
    config = switch(2560, 41, 40, 64, 8192)
    once, often = (config | {"lora_target_modules": ["o_proj"] * times} for times in (1, 5000))
    assert len(read_config(once).tensors) == len(read_config(often).tensors)


def test_as_they_are_published_they_are_read() -> None:
    for config in (HUGINN, HRM, IQUEST, CHAMELEON, GRANITE_VISION):
        assert read_config(config).total_parameters


@pytest.mark.parametrize(
    ("path", "values", "refused"),
    [
        (None, {"rope_theta": inf}, False),  # some files write 1e999; which base it is changes no size
        ("baidu/qianfan-ocr", {"vision_config__patch_size": [0, 14]}, True),
        ("baidu/qianfan-ocr", {"vision_config__image_size": [448]}, True),
        ("ibm/granite-4-0-h-micro", {"shared_intermediate_size": 0}, False),
        ("deepseek/deepseek-v4-flash-0731", {"num_hidden_layers": 2, "layer_types": SPARSE}, False),
        ("taichu/zdtaichu5-0-9b", {"vision_config__max_img_size": 8}, True),
        ("mistral/mistral-large-4-1t-a52b", {"text_config__qk_rope_head_dim": 0}, False),
    ],
)
def test_odd_values_are_read_or_refused(path: str | None, values: dict[str, Any], refused: bool) -> None:
    config = changed(catalogued_config(path) if path else LLAMA, **values)
    if refused:
        with pytest.raises(ConfigError):
            read_config(config)
        return
    shape = read_config(config)
    for engine in ENGINES:
        try:
            assert estimate(shape, Workload(engine=engine, context_tokens=4096)).total_bytes > 0
        except WorkloadError:
            continue


LAYERS = range(512)  # the most that are read


@pytest.mark.parametrize(
    ("path", "part", "values"),
    [
        (
            "dotsstudio/dots3-note-prev",
            "vision_config",
            {
                "mlp_layer_types": ["sparse"] * len(LAYERS),
                "pyramid_num_routed": None,
                "per_layer_config": {str(index): {"num_local_experts": index + 1} for index in LAYERS},
            },
        ),
        (
            "google/gemma-4-12b-it",
            "text_config",
            {
                "layer_types": ["full_attention"] * len(LAYERS),
                "num_kv_shared_layers": 0,
                "per_layer_config": {str(index): {"num_key_value_heads": 1, "head_dim": index + 1} for index in LAYERS},
            },
        ),
    ],
)
def test_layers_that_differ_do_not_copy_the_file(path: str, part: str, values: dict[str, Any]) -> None:
    """A few readers copy a part once, whatever its layers are: 16 times is room for them, and far from once a layer."""
    config = catalogued_config(path)
    few = {**config, part: {**config[part], **values, "num_hidden_layers": len(LAYERS)}}
    many = {**few, part: {**few[part], **{f"unknown_{number}": 0 for number in range(2000)}}}
    read_config(few)  # what is remembered of all files
    assert _peak_bytes(many) - _peak_bytes(few) < 16 * getsizeof(many[part])


def _peak_bytes(config: dict[str, Any]) -> int:
    tracemalloc.start()
    try:
        read_config(config)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_blocks_of_a_draft_head_multiply() -> None:
    """Medusa's heads, each of several blocks: 512 times 512 were half a million tensors."""
    medusa = {"model_type": "medusa", "hidden_size": 64, "vocab_size": 100}
    medusa |= {"medusa_num_heads": 512, "medusa_num_layers": 512}
    with pytest.raises(ConfigError) as error:
        read_draft_head(medusa)
    assert error.value.key == "medusa_num_layers"


def test_modules_named_one_by_one_are_asked_about_together() -> None:
    """HQQ and torchao may name each module: those of one scheme are one set, however many they are."""
    weights = {"weight_quant_params": {"nbits": 4, "group_size": 64}}
    named = {f"self_attn.m{each}": weights for each in range(5_000)} | {"self_attn.q_proj": weights}
    quantization = {"quant_method": "hqq", "quant_config": named}
    rules = rules_of(quantization)
    assert rules is not None
    assert len(rules.rules) == 5_001
    assert len([*together(rules.rules)]) == 1
    shape = read_config({**LLAMA, "quantization_config": quantization})
    assert {tensor.dtype for tensor in shape.tensors if tensor.role == "attn_q"} == {"INT4"}
    assert {tensor.dtype for tensor in shape.tensors if tensor.role == "attn_k"} == {"BF16"}


def test_rules_that_differ_one_by_one_are_bounded() -> None:
    named = {
        f"self_attn.m{each}": {"weight_quant_params": {"nbits": 2 * (1 + each % 2), "group_size": 64}}
        for each in range(1_000)
    }
    with pytest.raises(ConfigError) as error:
        read_config({**LLAMA, "quantization_config": {"quant_method": "hqq", "quant_config": named}})
    assert error.value.reason == "unsupported_value"
