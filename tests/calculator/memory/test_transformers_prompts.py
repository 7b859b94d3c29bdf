"""What a prompt takes in transformers, against what the allocator of PyTorch held on an H200, and how it grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from calculator.accuracy.references import reference_lines
from calculator.accuracy.transformers import transformers_cases
from calculator.architecture import read_config
from calculator.architecture.families import FAMILIES
from calculator.architecture.families.image_readers import DECODERS
from calculator.memory import Estimate, Workload, estimate
from calculator.memory.transformers.overhead import HELD_MIB, HELD_PERCENT, MIB, overhead
from calculator.memory.transformers.prompt_classes import EAGER
from calculator.memory.transformers.prompt_pass import is_measured
from tests.calculator.memory.shapes import catalogued, published, tiny_llama

WORST = 0.052  # GLM-5.3's indexer, of which one byte of each pair more is counted than lives at the peak
WORST_SHORT = 0.081  # Falcon 7B, 512 tokens
LINES = list(reference_lines("transformers.jsonl"))


def prompt(name: str, tokens: int, sequences: int = 1, **settings: object) -> Estimate:
    workload = Workload(engine="transformers", context_tokens=tokens, sequences=sequences)
    return estimate(published(name), workload.but(**settings))


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['id']}-{line['config'].rpartition('/')[2]}")
def test_a_measured_prompt(line: dict[str, object]) -> None:
    """`calculator/reference/transformers.jsonl`, every run with the attention and experts that a class chooses."""
    for case in transformers_cases(line):
        if case.quantity == "prompt_peak":
            assert abs(case.error) <= (WORST if int(str(line["tokens"])) >= 4_096 else WORST_SHORT)


def test_most_runs_lie_in_the_interval() -> None:
    """The allocator reserved no less than the peak, and beyond the upper end in 4 of 229 runs."""
    reserved = [case for line in LINES for case in transformers_cases(line) if case.quantity == "prompt_reserved"]
    outside = [case for case in reserved if not case.inside]
    assert len(reserved) == 229
    assert len(outside) == 4
    assert {case.model for case in outside} == {"glm-4-7-flash", "minicpm3-4b", "gemma-3-27b-it"}


@pytest.mark.parametrize(
    "name",
    [
        *("llama-3-1-8b-instruct", "gemma-3-12b-it", "gpt-oss-20b", "qwen3-30b-a3b", "deepseek-v3", "glm-5-3"),
        *("qwen3-next-80b-a3b-instruct", "mamba-codestral-7b-v0-1", "falcon-h1-7b-instruct", "llama-4-scout-instruct"),
    ],
)
def test_more_tokens_never_take_less(name: str) -> None:
    for sequences in (1, 4):
        sizes = [prompt(name, tokens, sequences).total_bytes for tokens in (1, 512, 1_023, 1_024, 4_096, 8_192, 65_536)]
        assert sizes == sorted(sizes)
    for tokens in (512, 8_192):
        sizes = [prompt(name, tokens, sequences).total_bytes for sequences in (1, 2, 8, 32)]
        assert sizes == sorted(sizes)


def test_a_dense_layer_by_hand() -> None:
    """Llama 3.1 8B: prompt, layer's input, residual stream, normalised input (4,096 each); gate, up, product (14,336
    each); cos and sin (128 each). 530.06 MiB were measured with a cache of 64 MiB (4 layers, 4,096 tokens)."""
    one = (4 * 4_096 + 3 * 14_336 + 2 * 128) * 2
    assert prompt("llama-3-1-8b-instruct", 4_096).part("compute").bytes == 4_096 * one
    assert 4_096 * one + 64 * MIB == pytest.approx(530.06 * MIB, rel=0.001)


def test_windows_are_whole_until_the_next_token() -> None:
    """Gemma 3 12B: 40 layers with a window of 1,024 and 2 x 8 heads of 256 hold all of 32,768 tokens."""
    terms = {term.key: term for term in prompt("gemma-3-12b-it", 32_768).part("compute").terms}
    assert terms["windows_whole"].bytes == 40 * (32_768 - 1_024) * 2 * 8 * 256 * 2
    assert terms["prompt_pairs"].bytes == 32_768**2  # a byte of the mask for each pair, whatever the sequences
    four = {term.key: term for term in prompt("gemma-3-12b-it", 4_096, 4).part("compute").terms}
    assert four["prompt_pairs"].bytes == 4_096**2


def test_attention_without_a_kernel_grows_with_the_square() -> None:
    """gpt-oss: three matrices of 64 heads in 16 bits, and two masks."""
    terms = {term.key: term for term in prompt("gpt-oss-20b", 8_192).part("compute").terms}
    assert terms["prompt_pairs"].bytes == 8_192**2 * (3 * 64 * 2 + 2 * 2)


def test_experts_are_picked_out_for_single_tokens() -> None:
    """Mixtral, one token of each of 8 sequences: 2 experts of three matrices of 4,096 x 14,336. 620 MiB more than the
    cache of 64 were measured for one, 672 counted."""
    terms = prompt("mixtral-8x7b-instruct-v0-1", 16, 8).part("compute").terms
    assert [(term.key, term.bytes) for term in terms] == [("gathered_experts", 8 * 2 * 3 * 4_096 * 14_336 * 2)]


@pytest.mark.parametrize(("weight_format", "key"), [("NF4", "unpacked_matrix"), ("BF16", None)])
def test_a_matrix_is_unpacked_beside_a_short_prompt(weight_format: str, key: str | None) -> None:
    terms = {
        t.key: t.bytes for t in prompt("llama-3-1-8b-instruct", 512, weight_format=weight_format).part("compute").terms
    }
    assert terms.get("unpacked_matrix") == (4_096 * 14_336 * 2 if key else None)


def test_falcon_caches_every_head() -> None:
    """Falcon 40B with 4 layers kept 512 MiB of 4,096 tokens: 128 heads of 64, keys and values."""
    answer = prompt("falcon-40b-instruct", 4_096)
    assert answer.part("kv_cache").bytes == 60 * 4_096 * 2 * 128 * 64 * 2


def test_what_lies_beside_follows_the_card() -> None:
    """An H200 had 696 MiB in use beside 32 of cuBLAS (`calculator/reference/constants.jsonl`)."""
    here = overhead(None, 132)
    assert (here.context, here.workspaces) == (696 * MIB, 32 * MIB)
    assert overhead(None, 24).context < here.context < overhead(None, 188).context
    for count in (24, 132, 188):
        found = overhead(None, count)
        assert found.least < found.context + found.workspaces < found.most
    answer = prompt("llama-3-1-8b-instruct", 4_096, multiprocessors=132)
    least, most = answer.per_card_range_bytes or (0, 0)
    compute = answer.part("compute").bytes
    assert most - answer.per_card_bytes == here.most - here.context - here.workspaces + max(
        compute * HELD_PERCENT // 100, HELD_MIB * MIB
    )
    assert least < answer.per_card_bytes


def test_kinds_that_no_card_ran_are_said_to_be_uncertain() -> None:
    assert is_measured(tiny_llama())
    for name in ("minimax/minimax-text-01", "meta/llama-3-2-11b-vision-instruct", "minimax/minimax-m3"):
        shape = catalogued(name)
        answer = estimate(shape, Workload(engine="transformers", context_tokens=4_096))
        assert not is_measured(shape)
        assert "prompt_not_measured" in {note.key for note in answer.notes}
        _, most = answer.per_card_range_bytes or (0, 0)
        assert most - answer.per_card_bytes >= answer.part("compute").bytes


TINY = {
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 16,
    "intermediate_size": 64,
    "vocab_size": 100,
    "max_position_embeddings": 2_048,
}
HALF = TINY | {"num_key_value_heads": 16, "head_dim": 8, "sliding_window": 4_096}
TROCR = {"d_model": 64, "decoder_layers": 3, "decoder_attention_heads": 16, "decoder_ffn_dim": 64, "vocab_size": 100}
VIT = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 64, "image_size": 32}
WRITTEN_OUT = [
    # bytes of each pair of tokens: 5.24.0's own classes in BF16 on a CPU, every tensor that PyTorch's dispatcher made
    # and had not yet freed, less the buffers; 2,048 tokens of one sequence (the sinks of Flint and HY4 in 32 bits, as
    # they are loaded). T5Gemma's and HY4's are the growth with the square, from 512 to 1,024 tokens and 1,024 to 2,048
    (
        TINY
        | {"model_type": "gpt_neo", "num_heads": 16, "num_layers": 3, "window_size": 256}
        | {"attention_types": [[["global", "local", "global"], 1]]},
        163.0,
    ),
    (
        {key: value for key, value in TINY.items() if key != "intermediate_size"}
        | {"model_type": "gpt_neox_japanese", "intermediate_multiple_size": 1},
        130.9,
    ),
    (
        {"model_type": "openai-gpt", "n_embd": 64, "n_layer": 3, "n_head": 16, "n_positions": 2_048, "vocab_size": 100},
        98.4,
    ),
    ({"model_type": "t5gemma", "encoder": HALF, "decoder": HALF, "vocab_size": 100}, 162.8),
    (
        {"model_type": "vision-encoder-decoder", "encoder": VIT | {"model_type": "vit", "patch_size": 16}}
        | {"decoder": TROCR | {"model_type": "trocr", "max_position_embeddings": 2_048}},
        66.7,
    ),
    (
        {"model_type": "blip", "text_config": TINY | {"encoder_hidden_size": 64}}
        | {"vision_config": VIT | {"patch_size": 16}},
        66.7,
    ),
    ("recursive/flint", 389.3),
    ("tencent/hy4-preview", 774.9),
]


@pytest.mark.parametrize(("config", "measured"), WRITTEN_OUT)
def test_scores_that_are_written_out(config: dict[str, object] | str, measured: float) -> None:
    shape = catalogued(config) if isinstance(config, str) else read_config(config)
    for sequences in (1, 4):  # the mask, too, is each sequence's own
        workload = Workload(engine="transformers", context_tokens=2_048, sequences=sequences, kv_format="bf16")
        answer = estimate(shape, workload)
        terms = {term.key: term.bytes for term in answer.part("compute").terms}
        assert terms["prompt_pairs"] == pytest.approx(sequences * 2_048**2 * measured, rel=0.03)
        assert "prompt_not_measured" in {note.key for note in answer.notes}
        _, most = answer.per_card_range_bytes or (0, 0)
        assert most - answer.per_card_bytes >= answer.part("compute").bytes


def test_a_decoder_behind_an_encoder_of_images_decides_itself() -> None:
    """mBART's layers have a kernel (Donut), TrOCR's have none."""
    encoder = VIT | {"model_type": "vit", "patch_size": 16}
    for model_type, written in (("mbart", False), ("trocr", True)):
        decoder = TROCR | {"model_type": model_type, "max_position_embeddings": 512}
        shape = read_config({"model_type": "vision-encoder-decoder", "encoder": encoder, "decoder": decoder})
        answer = estimate(shape, Workload(engine="transformers", context_tokens=512))
        assert ("prompt_pairs" in {term.key for term in answer.part("compute").terms}) == written


ATTENTIONLESS = {"falcon_mamba", "mamba", "mamba2", "rwkv"}


def test_every_class_without_a_kernel_is_known() -> None:
    listed = (Path(__file__).parents[2] / "reference/transformers_without_sdpa.txt").read_text().splitlines()
    without = {line for line in listed if not line.startswith("#")}
    assert (without & set(FAMILIES)) - ATTENTIONLESS | (without & set(DECODERS)) == set(EAGER)


def test_a_mask_is_written_for_every_sequence() -> None:
    """`eager_mask` ends in `torch.where`, which has a whole mask for each: 4 sequences of 512 took 2,097,152 B, one
    524,288 (5.24.0, BF16)."""
    one, four = (prompt("gpt-oss-20b", 8_192, sequences).part("compute").terms for sequences in (1, 4))
    sizes = [{term.key: term.bytes for term in terms}["prompt_pairs"] for terms in (one, four)]
    assert sizes[1] == 4 * sizes[0] == 4 * 8_192**2 * (3 * 64 * 2 + 2 * 2)
