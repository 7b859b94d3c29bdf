"""Draft heads: what kind they are, what their files hold, what they cache and borrow. Counts are against published
sizes; those that are "by hand" follow from the config and the classes that `draft_heads` names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from calculator.architecture import ConfigError, DraftHead, is_draft_head, read_config, read_draft_head
from calculator.architecture.draft_heads import BUFFER_BYTES
from calculator.architecture.shape import FullAttention
from tests.calculator.architecture.draft_head_files import (
    DEEPSPEC,
    DFLASH,
    EAGLE,
    EAGLE3,
    FIVE,
    LLAMA_8B,
    MEDUSA,
    QWEN3_4B,
    QWEN_27B,
    SPECFORGE,
    SPECULATORS,
    of,
)
from tests.calculator.memory.shapes import catalogued_config
from tests.reference.draft_heads import CONFIGS

FILE = Path(__file__).parents[2] / "reference" / "draft_heads.jsonl"


def stored(head: DraftHead) -> int:
    """Bytes of the tensors in its file: two of each number, and the buffers in their own width."""
    return sum(one.elements * BUFFER_BYTES.get(one.dtype, 2) for one in head.tensors)


def without(head: DraftHead, *roles: str) -> int:
    return sum(one.elements for one in head.tensors if one.kind != "buffer" and one.role not in roles)


EAGLE_SIZES = [
    # README.md of SafeAILab/EAGLE, "EAGLE Weights": billions of parameters, without the embedding. (Not here: Vicuna
    # 33B, Mixtral and Qwen2, whose figures do not follow from a layer of their target's sizes.)
    ("Vicuna 7B", {"intermediate_size": 11008, "num_key_value_heads": 32, "vocab_size": 32000}, 0.24),
    (
        "Vicuna 13B",
        {"hidden_size": 5120, "intermediate_size": 13824, "num_attention_heads": 40, "num_key_value_heads": 40},
        0.37,
    ),
    ("Llama 3 8B", {}, 0.25),
    ("Llama 3 70B", {"hidden_size": 8192, "intermediate_size": 28672, "num_attention_heads": 64}, 0.99),
]


@pytest.mark.parametrize(("name", "keys", "billions"), EAGLE_SIZES, ids=lambda one: str(one)[:14])
def test_eagle_s_sizes_are_those_of_its_authors(name: str, keys: dict[str, Any], billions: float) -> None:
    assert round(without(of(EAGLE, **keys), "token_embd") / 1e9, 2) == billions


def test_eagle_holds_an_embedding_that_repeats_the_target_s_and_no_output() -> None:
    head = of(EAGLE)
    # By hand: embedding, fc of two widths, four projections, three of the feed-forward part, one norm
    layer = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 4096
    assert head.parameters == 128256 * 4096 + 2 * 4096 * 4096 + layer == 776_998_912
    assert (head.kind, head.borrows, head.copies, head.features) == ("eagle", ("output",), ("token_embd",), 1)
    assert head.mixers == ((FullAttention(num_heads=32, num_kv_heads=8, head_dim=128, value_head_dim=128),),)


FILES = [
    # z-lab/Qwen3-4B-DFlash-b16: "~1.07 GB (matches model.safetensors size)" in a public reading of it
    ("DFlash 4B", {**QWEN3_4B, "architectures": ["DFlashDraftModel"], "dflash_config": FIVE}, 1.07),
    # deepseek-ai/dspark_qwen3_8b_block7 and _4b_: the hub's sizes, listed in public notes on vLLM's tests
    ("DSpark 8B", DEEPSPEC, 4.74),
    ("DSpark 4B", DEEPSPEC | {"hidden_size": 2560, "intermediate_size": 9728}, 2.79),
    # satgeze/Qwen3.6-27B-DSpark (embedding and output its own) and RadixArk/Qwen3.8-27B-DSpark (neither), likewise
    ("DSpark 27B whole", DEEPSPEC | QWEN_27B, 8.80),
    ("DSpark 27B", {**QWEN_27B, **SPECFORGE}, 3.7),
]


@pytest.mark.parametrize(("name", "config", "gigabytes"), FILES, ids=lambda one: one if isinstance(one, str) else "")
def test_files_are_as_large_as_published(name: str, config: dict[str, Any], gigabytes: float) -> None:
    digits = len(str(gigabytes).partition(".")[2])
    assert round(stored(read_draft_head(config)) / 1e9, digits) == gigabytes


def test_medusa_s_first_file_is_as_large_as_published() -> None:
    """FasterDecoding/medusa-vicuna-7b-v1.3, medusa_lm_head.pt: five heads, with biases, in 1,478,537,775 bytes, of
    which the archive around the tensors takes 4,655."""
    head = read_draft_head(MEDUSA)
    assert stored(head) == 1_478_537_775 - 4_655
    assert (head.mixers, head.borrows) == ((), ())


def test_eagle3_s_file_is_as_large_as_published() -> None:
    """EAGLE-3 for Llama 3.1 8B, trained with SpecForge: model.safetensors of 811 MB, as `ls -h` rounds MiB up."""
    head = of(EAGLE3)
    assert -(-stored(head) // 2**20) == 811
    # By hand: fc of three widths, queries, keys and values of two, three norms and the last, an output of 32,000
    layer = 2 * 4096 * (4096 + 2 * 1024) + 4096 * 4096 + 3 * 4096 * 14336 + 3 * 4096
    assert head.parameters == 3 * 4096 * 4096 + layer + 4096 + 32000 * 4096
    assert (head.borrows, head.draft_vocab_size, head.vocab_size) == (("token_embd",), 32000, 128256)
    assert [(one.role, one.elements, one.dtype) for one in head.tensors if one.kind == "buffer"] == [
        ("d2t", 32000, "I64"),
        ("t2d", 128256, "BOOL"),
    ]


def test_speculators_files_hold_the_embedding() -> None:
    head = read_draft_head(SPECULATORS)
    assert head.parameters == of(EAGLE3).parameters + 128256 * 4096
    assert (head.kind, head.borrows, head.copies) == ("eagle3", (), ("token_embd",))
    assert read_draft_head({**SPECULATORS, "embed_requires_grad": True}).copies == ()


def test_p_eagle_stands_for_hidden_states_that_are_not_there_yet() -> None:
    parallel = {**SPECULATORS, "architectures": ["PEagleDraftModel"], "speculators_model_type": "peagle"}
    head = read_draft_head({**parallel, "mask_token_id": 128255})
    assert head.kind == "eagle3"
    assert head.parameters == read_draft_head(SPECULATORS).parameters + 3 * 4096


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        # `llama_eagle3.py`: norms of all features at once, or of each; as many features as are listed
        ({"norm_before_fc": True}, 3 * 4096),
        ({"fc_norm": True}, 3 * 4096),
        ({"eagle_config": {"eagle_aux_hidden_state_layer_ids": [1, 17]}}, -4096 * 4096),
        ({"num_aux_hidden_states": 4}, 4096 * 4096),
        ({"eagle_config": {"use_aux_hidden_state": False}}, -3 * 4096 * 4096),
        ({"attention_bias": True}, 4096 + 2 * 1024 + 4096),
        # an embedding of another width is not the target's
        ({"target_hidden_size": 2048}, -3 * 4096 * 2048 + 128256 * 4096),
        ({"architectures": ["Eagle3Qwen3ForCausalLM"]}, 2 * 128),
        # a second layer reads one width, and has one norm less
        ({"num_hidden_layers": 2}, 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096),
    ],
)
def test_what_eagle3_s_settings_add(keys: dict[str, Any], more: int) -> None:
    assert of(EAGLE3, **keys).parameters - of(EAGLE3).parameters == more


def test_latent_attention_reads_both_in_its_projections_down() -> None:
    """`deepseek_eagle3.py`: a dense feed-forward part, whatever the file says of its target's experts."""
    head = read_draft_head(
        {
            "architectures": ["Eagle3DeepseekV2ForCausalLM"],
            "model_type": "kimi_k2",
            "hidden_size": 7168,
            "intermediate_size": 18432,
            "num_attention_heads": 64,
            "num_hidden_layers": 1,
            "q_lora_rank": 1536,
            "kv_lora_rank": 512,
            "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64,
            "v_head_dim": 128,
            "vocab_size": 163840,
            "draft_vocab_size": 32000,
            "n_routed_experts": 384,
            "n_shared_experts": 1,
            "num_experts_per_tok": 8,
            "moe_intermediate_size": 2048,
            "first_k_dense_replace": 1,
        }
    )
    down = 2 * 7168 * (1536 + 512 + 64) + 1536 + 512
    up = 1536 * 64 * 192 + 512 * 64 * 256 + 64 * 128 * 7168
    around = 3 * 7168 * 7168 + 4 * 7168 + 32000 * 7168
    assert head.parameters == down + up + 3 * 7168 * 18432 + around


def test_a_file_of_eagle_1_that_names_its_target_is_read_when_told_so() -> None:
    """It looks like a model of one layer, and a sentence beside the number says what else it may be."""
    plain = {**LLAMA_8B, "architectures": ["LlamaForCausalLM"]}
    assert not is_draft_head(plain)
    assert any(one.startswith("one_layer:") for one in read_config(plain).assumptions)
    head = read_draft_head(plain, kind="eagle")
    assert (head.kind, head.parameters) == ("eagle", of(EAGLE).parameters + 4096)  # its own code: `bias=True`
    # vLLM's own form of such a file nests it
    assert read_draft_head({"model_type": "eagle", "model": plain}).parameters == of(EAGLE).parameters
    assert read_draft_head({"model_type": "eagle", "model": plain, "eagle_fc_bias": True}).parameters == head.parameters
    for other in ({**plain, "architectures": ["GemmaForCausalLM"]}, {}):
        with pytest.raises(ConfigError, match="no_draft_head"):
            read_draft_head(other, kind="eagle")


@pytest.mark.parametrize("bias", [False, True])
def test_a_file_of_eagle_1_that_tells_of_its_bias_is_told_by_it(bias: bool) -> None:
    """SafeAILab/EAGLE, `model/ea_model.py`: `con["bias"]`, a key of no model's configuration."""
    plain = {**LLAMA_8B, "architectures": ["LlamaForCausalLM"], "bias": bias}
    assert is_draft_head(plain)
    assert read_draft_head(plain).parameters == of(EAGLE).parameters + 4096 * bias
    assert not is_draft_head({**plain, "num_hidden_layers": 2})


def test_what_is_taken_from_defaults_is_told() -> None:
    assert of(EAGLE, num_key_value_heads=None).assumptions == ("default_taken:num_key_value_heads = 32",)
    assert of(EAGLE3).assumptions == of(DFLASH).assumptions == of(DEEPSPEC).assumptions == ()


def test_without_a_vocabulary_of_its_own_the_output_is_the_target_s() -> None:
    """SGLang's `load_lm_head_from_target`."""
    head = of(EAGLE3, draft_vocab_size=None)
    assert head.borrows == ("token_embd", "output")
    assert head.parameters == of(EAGLE3).parameters - 32000 * 4096


def test_a_file_that_names_its_target_s_class_is_told_by_its_vocabulary() -> None:
    named = {**EAGLE3, "architectures": ["LlamaForCausalLM"]}
    assert read_draft_head(named).parameters == of(EAGLE3).parameters
    assert is_draft_head(named)


def test_a_layer_trained_apart_for_qwen3_5() -> None:
    config = {**QWEN3_4B, "architectures": ["Qwen3_5MTPDraftModel"], "num_hidden_layers": 1, "layer_types": None}
    head = read_draft_head({**config, "mtp_config": {"share_lm_head": True}})
    # By hand (SpecForge `modeling/draft/mtp.py`): a layer of Qwen3 of 32 heads of 128, fc of two widths, three norms
    layer = 2 * 2560 * 4096 + 2 * 2560 * 1024 + 2 * 128 + 3 * 2560 * 9728 + 2 * 2560
    assert head.parameters == layer + 2 * 2560 * 2560 + 3 * 2560
    assert (head.kind, head.borrows) == ("mtp", ("token_embd", "output"))
    own = read_draft_head({**config, "mtp_config": {"share_lm_head": False}})
    assert own.parameters - head.parameters == 151936 * 2560


@pytest.mark.parametrize("path", ["xiaomi/mimo-7b-rl", "qwen/qwen3-next-80b-a3b-instruct", "zhipu/glm-4-5"])
def test_prediction_layers_in_a_file_of_their_own_are_the_target_s(path: str) -> None:
    """The file repeats the target's config under a name that ends with `_mtp`, or nests it (speculators)."""
    config = catalogued_config(path)
    target = read_config({**config, "num_nextn_predict_layers": 1})
    expected = sum(one.elements for one in target.tensors_of("mtp"))
    apart = {**config, "num_nextn_predict_layers": 1, "architectures": ["AnyMTPModel"]}
    nested = {"speculators_model_type": "mtp", "num_nextn_predict_layers": 1, "transformer_layer_config": config}
    for file in (apart, apart | {"model_type": f"{config['model_type']}_mtp"}, nested):
        head = read_draft_head(file)
        assert (head.kind, head.mixers) == ("mtp", target.mtp_mixers)
        assert sum(one.elements for one in head.tensors) == expected
        assert {one.layer for one in head.tensors} == {0}


PARALLEL = "eagle_config.parallel_draft_step"


@pytest.mark.parametrize(
    ("config", "key", "reason"),
    [
        ({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}, "architectures", "no_draft_head"),
        ({"architectures": ["EagleDeepSeekMTPModel"]}, "architectures", "draft_head_unknown"),
        ({"architectures": ["Gemma4DSparkModel"]}, "architectures", "draft_head_unknown"),
        ({"architectures": ["DSparkDraftModel"], "model_type": "deepseek_v4"}, "architectures", "draft_head_unknown"),
        ({"speculators_model_type": "eagle"}, "architectures", "draft_head_unknown"),
        ({"model_type": "gemma4_assistant"}, "architectures", "draft_head_unknown"),
        (EAGLE | {"hidden_size": None}, "hidden_size", "missing"),
        (EAGLE3 | {"num_experts": 128}, "num_experts", "unknown_key"),
        (
            EAGLE3 | {"eagle_config": {"parallel_draft_step": 4}},
            "eagle_config.parallel_draft_step",
            "unsupported_value",
        ),
        (DFLASH | {"dflash_config": {"attention_mode": "mla"}}, "dflash_config.attention_mode", "unsupported_value"),
        (DFLASH | {"dflash_config": {"projector_type": "x"}}, "dflash_config.projector_type", "unsupported_value"),
        (DFLASH | {"dflash_config": {"new_heads": 4}}, "dflash_config.new_heads", "unknown_key"),
        (DEEPSPEC | {"markov_rank": None}, "markov_rank", "missing"),
        ({"medusa_num_heads": 2, "medusa_num_layers": 1}, "hidden_size", "missing"),
        (MEDUSA | {"medusa_num_heads": 10**8}, "medusa_num_heads", "out_of_range"),
        (EAGLE3 | {"num_aux_hidden_states": 10**7, "fc_norm": True}, "num_aux_hidden_states", "out_of_range"),
        (EAGLE | {"intermediate_size": 2**27, "hidden_size": 2**27}, "hidden_size", "no_machine"),
    ],
)
def test_what_is_not_known_is_named(config: dict[str, Any], key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_draft_head(config)
    assert (error.value.key, error.value.reason) == (key, reason)


COUNTED = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("line", COUNTED, ids=lambda line: line["name"])
def test_the_count_is_that_of_the_classes_that_train_them(line: dict[str, Any]) -> None:
    """`tests/reference/draft_heads.py`: SpecForge's own classes on torch's meta device."""
    assert without(read_draft_head(CONFIGS[line["name"]]), "token_embd") == line["parameters"]


def test_every_config_was_counted() -> None:
    assert [line["name"] for line in COUNTED] == list(CONFIGS)


def test_no_model_is_taken_for_a_head() -> None:
    assert not is_draft_head(LLAMA_8B | {"architectures": ["LlamaForCausalLM"]})
    assert not any(map(is_draft_head, ([], None, "eagle", 3, {"model_type": ["eagle"]})))
