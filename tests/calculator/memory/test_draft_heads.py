"""A draft head beside its target: its tensors and its cache come on top, in its own format, and nothing else changes
but what guessing ahead costs by itself.

Sizes by hand: EAGLE-3 for Qwen3-8B as published (hidden size 4,096, feed-forward 12,288, 32 heads and 8 of keys and
values of 128, 32,000 words of its own). Its tensors are those of vLLM's `llama_eagle3.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import ConfigError, Shape, read_draft_head, with_draft_head
from calculator.memory import Estimate, Workload, WorkloadError, capacity, estimate
from tests.calculator.memory.shapes import catalogued

GIB = 2**30
TARGET = catalogued("qwen/qwen3-8b")
EAGLE3: dict[str, Any] = {
    "architectures": ["LlamaForCausalLMEagle3"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "num_hidden_layers": 1,
    "vocab_size": 151936,
    "draft_vocab_size": 32000,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
MEDUSA = {"architectures": ["MedusaModel"], "model_type": "medusa", "hidden_size": 4096, "vocab_size": 151936}
MEDUSA |= {"num_heads": 3, "num_hidden_layers": 1}
QUERIES, KEYS = 32 * 128, 8 * 128
PARAMETERS = (
    4096 * 3 * 4096  # fc, of three hidden states
    + 2 * 4096 * (QUERIES + 2 * KEYS)  # the layer reads embedding and hidden state beside one another
    + QUERIES * 4096
    + 3 * 4096 * 12288
    + 4 * 4096  # norms: of the embedding, the hidden state, before the feed-forward part, at the end
    + 32000 * 4096  # its own output head; the embedding is the target's
)
MAP = 32000 * 8  # d2t, whole numbers of 64 bits; t2d is not loaded


def beside(**changes: object) -> Shape:
    return with_draft_head(TARGET, read_draft_head(EAGLE3 | changes))


def asked(engine: str = "vllm", **more: Any) -> Workload:
    return Workload(engine=engine, context_tokens=4096, mtp=3, **more)


def head_bytes(answer: Estimate) -> int:
    (term,) = (term for term in answer.part("weights").terms if term.key == "draft_head")
    return term.bytes


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_the_head_s_own_tensors_come_on_top(engine: str) -> None:
    alone = estimate(TARGET, Workload(engine=engine, context_tokens=4096))
    both = estimate(beside(), asked(engine))
    assert head_bytes(both) == 2 * PARAMETERS + MAP
    assert both.part("weights").bytes - alone.part("weights").bytes == 2 * PARAMETERS + MAP
    (term,) = (term for term in both.part("weights").terms if term.key == "draft_head")
    assert term.values["parameters"] == PARAMETERS
    assert both.total_parameters == alone.total_parameters
    assert sum(part.bytes for part in both.parts) == both.total_bytes


def test_the_head_keeps_its_format_whatever_the_model_s_is_made_to_be() -> None:
    assert head_bytes(estimate(beside(), asked(weight_format="FP8"))) == 2 * PARAMETERS + MAP


def test_its_layer_caches_as_one_more_of_the_model_s_in_vllm() -> None:
    alone = estimate(TARGET, Workload(engine="vllm", context_tokens=4096)).part("kv_cache").bytes
    both = estimate(beside(), asked()).part("kv_cache").bytes
    assert both * 36 == alone * 37


def test_sglang_keeps_a_pool_for_it_and_counts_on_one_like_the_model_s() -> None:
    """`DefaultPoolConfigurator` takes the layers of EAGLE for as wide as the model's: with half of the heads the pool
    is smaller, the tokens are as many."""
    alone = estimate(TARGET, Workload(engine="sglang", context_tokens=4096)).part("kv_cache").bytes
    whole, half = beside(), beside(num_key_value_heads=4)
    more = [estimate(shape, asked("sglang")).part("kv_cache").bytes - alone for shape in (whole, half)]
    assert more[0] == 2 * more[1] == alone // 36
    pools = [capacity(shape, asked("sglang"), 40 * GIB) for shape in (whole, half)]
    assert pools[0] is not None
    assert pools[1] is not None
    assert pools[0].tokens == pools[1].tokens


def test_medusa_caches_nothing() -> None:
    alone = estimate(TARGET, Workload(engine="vllm", context_tokens=4096))
    both = estimate(with_draft_head(TARGET, read_draft_head(MEDUSA)), asked())
    assert both.part("kv_cache").bytes == alone.part("kv_cache").bytes
    assert head_bytes(both) == 2 * 3 * (4096 * 4096 + 151936 * 4096)  # three blocks, each with an output head


@pytest.mark.parametrize("ranks", [2, 4])
def test_the_head_is_split_like_its_target(ranks: int) -> None:
    """`fc`, norms and the map of words are whole on every rank."""
    whole = 2 * (4096 * 3 * 4096 + 4 * 4096) + MAP
    one, split = (head_bytes(estimate(beside(), asked(tensor_parallel=each))) for each in (1, ranks))
    assert split - one == (ranks - 1) * whole


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_more_is_never_less(engine: str) -> None:
    totals = [estimate(TARGET, Workload(engine=engine, context_tokens=4096)).total_bytes]
    totals += [estimate(beside(), asked(engine).but(context_tokens=context)).total_bytes for context in (4096, 8192)]
    assert totals == sorted(totals)


@pytest.mark.parametrize(("key", "stated", "own"), [("hidden_size", 5120, 4096), ("vocab_size", 128256, 151936)])
def test_a_head_of_another_model_is_refused_by_its_key(key: str, stated: int, own: int) -> None:
    with pytest.raises(ConfigError) as error:
        beside(**{key: stated})
    (fault,) = error.value.faults
    assert (fault.key, fault.reason, dict(fault.values)) == (key, "not_of_target", {"value": stated, "target": own})


def test_an_engine_that_does_not_take_it_says_so() -> None:
    with pytest.raises(WorkloadError) as error:
        estimate(beside(), asked("llama.cpp"))
    assert error.value.key == "head_not_taken"
    with pytest.raises(WorkloadError) as error:
        estimate(with_draft_head(TARGET, read_draft_head(MEDUSA)), asked("sglang"))
    assert error.value.key == "head_not_taken"


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_not_behind_stages(engine: str) -> None:
    with pytest.raises(WorkloadError) as error:
        estimate(beside(), asked(engine, pipeline_parallel=2))
    assert (error.value.field, error.value.key) == ("pipeline_parallel", "not_with_stages")


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"num_attention_heads": 20, "num_key_value_heads": 4}, "num_heads"),
        ({"intermediate_size": 12289}, "intermediate_size"),
    ],
)
def test_a_head_that_does_not_divide_is_refused_by_its_size(engine: str, changes: dict[str, int], name: str) -> None:
    """It is split like its target, over eight ranks here."""
    assert estimate(beside(num_key_value_heads=16), asked(engine, tensor_parallel=8))
    with pytest.raises(WorkloadError) as error:
        estimate(beside(**changes), asked(engine, tensor_parallel=8))
    assert (error.value.field, error.value.values["name"]) == ("tensor_parallel", name)


def test_what_is_assumed_of_the_head_is_told_beside_its_target() -> None:
    read = beside(quantization_config={"quant_method": "aqlm", "nbits_per_codebook": 16})
    assert [text for text in read.assumptions if text.startswith("method_not_modelled")] == ["method_not_modelled:aqlm"]


def test_a_layer_that_the_target_does_not_have() -> None:
    blocks = {key: value for key, value in EAGLE3.items() if key != "draft_vocab_size"}
    blocks |= {"architectures": ["DFlashDraftModel"], "model_type": "qwen3", "num_target_layers": 36, "block_size": 16}
    assert with_draft_head(TARGET, read_draft_head(blocks | {"dflash_config": {"target_layer_ids": [1, 35]}}))
    with pytest.raises(ConfigError) as error:
        with_draft_head(TARGET, read_draft_head(blocks | {"dflash_config": {"target_layer_ids": [1, 36]}}))
    assert (error.value.key, error.value.reason) == ("target_layer_ids", "not_a_layer_of_target")


def test_a_head_s_tensors_are_held_as_its_own_file_says() -> None:
    """MiMo V2's own layers that predict keep an output in 16 bits (`mimo_v2.py`); those of another file do not."""
    target = catalogued("xiaomi/mimo-v2-flash")
    fp8 = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}
    like = {"hidden_size": target.hidden_size, "vocab_size": target.vocab_size, "quantization_config": fp8}
    both = [
        head_bytes(estimate(with_draft_head(target, read_draft_head(EAGLE3 | like)), asked(engine)))
        for engine in ("vllm", "sglang")
    ]
    assert both[0] == both[1]


def test_packed_latents_take_no_head() -> None:
    target = catalogued("deepseek/deepseek-v4-flash")
    like = {"hidden_size": target.hidden_size, "vocab_size": target.vocab_size}
    with pytest.raises(WorkloadError) as error:
        estimate(with_draft_head(target, read_draft_head(EAGLE3 | like)), asked())
    assert error.value.key == "head_not_taken"
