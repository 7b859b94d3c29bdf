"""llama.cpp's own answers, beyond those of the accuracy table: every preset, odd contexts, K and V apart, sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from calculator.memory import Estimate, Workload, WorkloadError, estimate
from calculator.memory.blocks import BLOCKS, row_bytes
from tests.calculator.memory.shapes import catalogued, published, reference, tiny_llama

MIB = 2**20
PRINTED = MIB / 200  # half of 0.01 MiB
ROPE_TABLE = 256  # bytes that a scaled RoPE adds and a shape does not know


@pytest.mark.parametrize("line", reference("llama_cpp_presets.jsonl"), ids=lambda line: str(line["config"]))
def test_every_preset_of_every_kind_of_model(line: dict[str, Any]) -> None:
    shape = published(line["config"])
    for preset, mib in line["tensor_data_mib"].items():
        answer = estimate(shape, Workload(weight_format=preset)).file_bytes
        assert abs(answer - mib * MIB) <= PRINTED + ROPE_TABLE, preset


def contexts() -> Iterator[tuple[str, dict[str, Any]]]:
    for line in reference("llama_cpp_contexts.jsonl"):
        for row in line["contexts"]:
            yield line["config"], row


def answer_to(name: str, row: dict[str, Any]) -> Estimate:
    sequences = row.get("n_seq_max", 1)
    workload = Workload(
        kv_format=row["type_k"],
        kv_v_format=row["type_v"],
        context_tokens=row["n_ctx"] // sequences,
        sequences=sequences,
        micro_batch=row.get("n_ubatch", 512),
    )
    return estimate(published(name), workload)


def test_cache_and_state_are_exact() -> None:
    for name, row in contexts():
        if row.get("refused"):
            with pytest.raises(WorkloadError):
                answer_to(name, row)
        else:
            answer = answer_to(name, row)
            assert answer.part("kv_cache").bytes + answer.part("state").bytes == row["context_bytes"], (name, row)


@pytest.mark.parametrize(
    ("tokens", "sequences", "asked", "rows"),
    [
        (8_192, 1, 512, 512),
        (8_192, 1, 2_048, 2_048),
        (100, 1, 512, 100),
        (100, 4, 512, 400),  # all sequences fill one batch
        (100, 8, 512, 512),
    ],
)
def test_a_micro_batch_is_no_larger_than_all_sequences_together(
    tokens: int, sequences: int, asked: int, rows: int
) -> None:
    """`n_ubatch` of `llama_context::llama_context`: at most `n_batch`, which is at most the whole `n_ctx`."""
    workload = Workload(context_tokens=tokens, sequences=sequences, micro_batch=asked)
    answer = estimate(published("llama-3-1-8b-instruct"), workload)
    assert next(note.values["micro_batch"] for note in answer.notes if note.key == "llama_cpp_build") == rows
    inputs = next(term for part in answer.host for term in part.terms if term.key == "graph_inputs")
    assert inputs.values["rows"] == rows


def test_the_reference_page() -> None:
    """Llama 4 Maverick at 131,072 tokens: 12 layers keep them all, 36 keep a chunk and the micro-batch."""
    answer = estimate(published("llama-4-maverick-instruct"), Workload(context_tokens=131_072))
    assert answer.part("kv_cache").bytes == 7_368 * MIB
    full, chunked = answer.part("kv_cache").terms
    assert (full.key, full.values["layers"], full.values["cells"]) == ("cells_full", 12, 131_072)
    assert (chunked.key, chunked.values["layers"], chunked.values["cells"]) == ("cells_chunked", 36, 8_704)


# Phi-3's file is older than today's mixture: every fused qkv was Q5_K (176 B a block of 256), where now half of the 32
# layers get Q6_K (210 B) and half Q4_K (144 B).
OLDER_PHI_3_MIB = 9_216 * 3_072 // 256 * (16 * 210 + 16 * 144 - 32 * 176) / MIB

# What servers printed in public: model, preset, MiB on the card (token embeddings stay in RAM), half of the last digit.
PRINTED_WEIGHTS = [
    ("phi-3-mini-4k-instruct", "Q4_K_M", 2228.82 + OLDER_PHI_3_MIB, 0.005, "CUDA0 model buffer size = 2228.82 MiB"),
    ("llama-3-8b-instruct", "Q4_K_M", 4403, 0.5, "MTL0 (Apple M5) | 5551 = 4403 + 1024 + 124"),
    ("gemma-3-1b-it", "Q8_0", 1013.54, 0.005, "Vulkan0 model buffer 1013.54 MiB + CPU_Mapped 306.00 MiB"),
]


@pytest.mark.parametrize(("name", "preset", "mib", "half_digit", "quote"), PRINTED_WEIGHTS)
def test_weights_on_the_card_as_printed(name: str, preset: str, mib: float, half_digit: float, quote: str) -> None:
    answer = estimate(published(name), Workload(weight_format=preset))
    assert answer.part("weights").bytes / MIB == pytest.approx(mib, abs=half_digit), quote


def test_a_tied_embedding_is_held_twice_and_an_untied_one_stays_in_ram() -> None:
    tied = estimate(published("gemma-3-1b-it"), Workload(weight_format="Q8_0"))
    assert tied.part("weights").bytes == tied.file_bytes
    assert tied.host[0].bytes == row_bytes("Q8_0", 262_144 * 1_152)
    untied = estimate(published("phi-3-mini-4k-instruct"), Workload(weight_format="Q4_K_M"))
    assert untied.part("weights").bytes + untied.host[0].bytes == untied.file_bytes
    assert untied.host[0].bytes / MIB == pytest.approx(52.84, abs=0.005)


def test_per_layer_embeddings_stay_in_ram() -> None:
    answer = estimate(published("gemma-4-e4b-it"), Workload(weight_format="Q8_0"))
    tables = row_bytes("Q8_0", 262_144 * (2_560 + 42 * 256))
    assert answer.host[0].bytes == tables
    assert answer.part("weights").bytes == answer.file_bytes - row_bytes("Q8_0", 262_144 * 42 * 256)


# As `llama_get_memory_breakdown` reports, F16. Here the text model goes by a type of its own.
@pytest.mark.parametrize(
    ("path", "context", "size"),
    [("google/gemma-4-12b-it", 4096, 570_425_344), ("lg/exaone-4-5-33b", 8191, 1_442_840_576)],
)
def test_windows_hold_whatever_the_text_model_is_called(path: str, context: int, size: int) -> None:
    assert estimate(catalogued(path), Workload(context_tokens=context)).part("kv_cache").bytes == size


def test_a_window_that_llama_cpp_does_not_use_is_said() -> None:
    answer = estimate(published("mistral-7b-instruct-v0-1"), Workload(context_tokens=32_768))
    assert answer.part("kv_cache").bytes == 32 * 32_768 * 8 * 128 * 2 * 2
    assert "window_not_used" in {note.key for note in answer.notes}


@pytest.mark.parametrize(
    ("context", "kv_format", "sequences", "context_bytes"),
    [
        (4_096, "f16", 1, 78_790_656),
        (131_072, "f16", 1, 947_798_016),
        (131_072, "q8_0", 1, 509_239_296),
        (8_192, "f16", 4, 425_263_104),
    ],
)
def test_deepseek_v4_keeps_a_window_compressed_latents_and_compressors(
    context: int, kv_format: str, sequences: int, context_bytes: int
) -> None:
    """Bytes of llama.cpp's own context for the catalogue's config, made as `tests/reference` says."""
    shape = catalogued("deepseek/deepseek-v4-flash")
    answer = estimate(shape, Workload(context_tokens=context, kv_format=kv_format, sequences=sequences))
    assert answer.part("kv_cache").bytes + answer.part("state").bytes == context_bytes


def test_deepseek_v4_keeps_its_router_wide() -> None:
    shape = catalogued("deepseek/deepseek-v4-flash")
    answer = estimate(shape, Workload(weight_format="Q4_K_M")).file_bytes
    assert answer / MIB == pytest.approx(163_861.41, abs=0.005)


def test_blocks_hold_what_gguf_says() -> None:
    """Bits per weight of `GGML_QUANT_SIZES` in llama.cpp's gguf-py."""
    bits = {name: 8 * block.bytes / block.elements for name, block in BLOCKS.items()}
    assert bits["Q4_K"] == 4.5
    assert bits["Q6_K"] == 6.5625
    assert bits["IQ2_XXS"] == 2.0625
    assert bits["MXFP4"] == 4.25
    with pytest.raises(ValueError, match="250 elements"):
        row_bytes("Q4_0", 250)


def test_a_row_that_no_block_divides_falls_back() -> None:
    shape = tiny_llama(hidden_size=72, intermediate_size=80, head_dim=8, num_attention_heads=9, num_key_value_heads=9)
    formats = {
        term.values["format"] for term in estimate(shape, Workload(weight_format="Q4_K_M")).part("weights").terms
    }
    assert formats == {"F16", "F32"}


def test_a_batch_is_a_token_at_least() -> None:
    """`-b 1` is one that llama.cpp takes: a graph of a single token."""
    shape = published("llama-3-1-8b-instruct")
    one, usual = estimate(shape, Workload(batch=1)), estimate(shape, Workload())
    assert one.part("compute").bytes < usual.part("compute").bytes
    with pytest.raises(WorkloadError) as caught:
        estimate(shape, Workload(batch=0))
    assert caught.value.field == "batch"
