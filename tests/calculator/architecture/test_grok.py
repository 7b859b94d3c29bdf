"""Grok is told by its class, as the engines tell it: its files name other models' types.

Counts: the models that SGLang's `models/grok.py` builds, tensor by tensor. No index of xAI's repositories was at hand;
converted copies say 269.5B and 539 GB of Grok 2 in BF16 (TevunahAi/grok-2-FP8), 316.5B and 633 GB of Grok 1
(TevunahAi/Grok-1-BF16).
"""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.architecture.shape import Experts, FullAttention
from tests.calculator.memory.shapes import catalogued_config

GROK2 = catalogued_config("xai/grok-2")
GROK1: dict[
    str, Any
] = {  # as SGLang's `scripts/ci/amd/amd_ci_install_dependency.sh` writes it, whose type is Mixtral's
    "architectures": ["Grok1ModelForCausalLM"],
    "embedding_multiplier_scale": 78.38367176906169,
    "output_multiplier_scale": 0.5773502691896257,
    "vocab_size": 131072,
    "hidden_size": 6144,
    "intermediate_size": 32768,
    "max_position_embeddings": 8192,
    "num_experts_per_tok": 2,
    "num_local_experts": 8,
    "num_attention_heads": 48,
    "num_hidden_layers": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "model_type": "mixtral",
    "torch_dtype": "bfloat16",
}
ATTENTION_2 = 2 * 8192 * 64 * 128 + 2 * 8192 * 8 * 128
ROUTER_2, NORMS_2 = 8 * 8192, 4 * 8192
EXPERT_2, DENSE_2 = 3 * 8192 * 16384, 3 * 8192 * 32768
HEAD_2 = 131072 * 8192


def test_grok_2_has_a_dense_path_beside_its_experts() -> None:
    shape = read_config(GROK2)
    always = ATTENTION_2 + ROUTER_2 + NORMS_2 + DENSE_2
    assert shape.total_parameters == 64 * (always + 8 * EXPERT_2) + 2 * HEAD_2 + 8192 == 269_515_497_472
    assert shape.active_parameters == 64 * (always + 2 * EXPERT_2) + HEAD_2 + 8192 == 113_822_932_992
    assert shape.assumptions == ()
    assert {type(mixer) for layer in shape.layers for mixer in layer.mixers} == {FullAttention}


def test_without_it_each_layer_has_experts_alone() -> None:
    shape = read_config(GROK2 | {"residual_moe": False})
    assert read_config(GROK2).total_parameters - shape.total_parameters == 64 * DENSE_2
    fed = shape.layers[0].feed_forward
    assert isinstance(fed, Experts)
    assert not fed.shared_size


def test_grok_1_is_its_checkpoint_whatever_its_file_calls_it() -> None:
    """Experts of `intermediate_size`, an output layer apart. A copy for ColossalAI names the type, and one key more."""
    layer = 2 * 6144 * 6144 + 2 * 6144 * 1024 + 8 * (3 * 6144 * 32768 + 6144) + 4 * 6144
    apart = 64 * layer + 2 * 131072 * 6144 + 6144
    assert read_config(GROK1).total_parameters == apart == 316_490_127_360
    assert read_config(GROK1).assumptions == ()
    other = {key: value for key, value in GROK1.items() if key not in ("architectures", "num_local_experts")}
    other |= {"num_experts": 8, "max_attn_value": 30.0, "attn_output_multiplier": 0.08838834764831845}
    for named in ("grok", "grok-1"):
        assert read_config(other | {"model_type": named}).total_parameters == apart
    tied = read_config(other | {"model_type": "grok-1", "tie_word_embeddings": True})
    assert tied.total_parameters == apart - 131072 * 6144


@pytest.mark.parametrize("named", ["git", "mixtral", "grok", "grok-1", "something"])
@pytest.mark.parametrize("cls", ["Grok1ForCausalLM", "Grok1ModelForCausalLM", "GrokForCausalLM"])
def test_the_class_goes_before_the_type(cls: str, named: str) -> None:
    shape = read_config(GROK2 | {"architectures": [cls], "model_type": named})
    assert (shape.model_type, shape.total_parameters) == ("grok-1", 269_515_497_472)


def test_the_types_that_it_borrows_stay_what_they_are() -> None:
    with pytest.raises(ConfigError, match="num_local_experts"):
        read_config(GROK2 | {"architectures": ["GitForCausalLM"]})
    mixtral = read_config(GROK1 | {"architectures": ["MixtralForCausalLM"]})
    assert mixtral.model_type == "mixtral"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sliding_window_size", 4096),
        ("global_attn_every_n", 4),
        ("num_experts_per_tok", 9),
        ("scaling_factor", "16"),
        ("scaling_factor", 1e9),
        ("shared_intermediate_size", 512),
        ("residual_moe", "yes"),
        ("num_hidden_layers", 2**31),
        ("num_local_experts", 2**40),
    ],
)
def test_what_is_not_known_is_named(key: str, value: object) -> None:
    with pytest.raises(ConfigError) as error:
        read_config(GROK2 | {key: value})
    assert key in [fault.key for fault in error.value.faults]


def test_as_many_layers_as_are_allowed_are_read_at_once() -> None:
    start = process_time()
    assert read_config(GROK2 | {"num_hidden_layers": 512}).num_layers == 512
    assert process_time() - start < 2
