"""What an SGLang server takes of a card, and how many requests it runs: its defaults and what is asked of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calculator.accuracy.references import reference_shape
from calculator.memory import Workload, estimate
from calculator.memory.engines import served
from calculator.memory.sglang.layers import Layout
from calculator.memory.sglang.pool import pool
from calculator.memory.sglang.server import alike_bytes, prefill_graphs, server
from tests.calculator.memory.shapes import catalogued, server_prints

GIB = 2**30


@pytest.mark.parametrize(
    ("gib", "ranks", "chunk", "sequences", "fraction"),
    [
        # (total - 512 - max(chunk, 2048) * 1.5 - ranks * 128 - sequences * 2 - prefill graphs * 8) / total, in MiB
        (15.75, 1, 2048, 8, round((16128 - 512 - 3072 - 128 - 16 - 42 * 8) / 16128, 3)),
        (24, 1, 4096, 48, round((24576 - 512 - 6144 - 128 - 96 - 50 * 8) / 24576, 3)),
        (44.5, 2, 4096, 32, round((45568 - 512 - 6144 - 256 - 64 - 50 * 8) / 45568, 3)),
        # above 60 GiB at least 10 GiB are left: 512 + 12288 + 128 + 512 + 464 are more
        (79.65, 1, 8192, 256, round((79.65 * 1024 - 512 - 12288 - 128 - 512 - 58 * 8) / (79.65 * 1024), 3)),
        (179, 8, 16384, 512, round((179 * 1024 - 512 - 24576 - 1024 - 1024 - 74 * 8) / (179 * 1024), 3)),
    ],
)
def test_defaults_by_card(gib: float, ranks: int, chunk: int, sequences: int, fraction: float) -> None:
    """`srt/arg_groups/memory_hook.py`, worked out by hand."""
    found = server(Workload(engine="sglang", card_bytes=round(gib * GIB), tensor_parallel=ranks), latent=False)
    assert (found.chunk_tokens, found.graph_sequences) == (chunk, sequences)
    assert found.fraction == fraction


@pytest.mark.parametrize(
    ("gib", "chunk", "few", "many"),
    [
        (None, 4096, 160, 160),
        (15.75, 2048, 8, 8),
        (20, 4096, 48, 160),
        (34.99, 4096, 48, 160),
        (35, 4096, 32, 160),
        (59.99, 4096, 32, 160),
        (60, 8192, 256, 512),
        (159.99, 8192, 256, 512),
        (160, 16_384, 512, 512),
    ],
)
def test_what_a_card_s_memory_decides(gib: float | None, chunk: int, few: int, many: int) -> None:
    """`handle_gpu_memory_settings`: tokens of a chunk, captured sequences on fewer than four ranks and on four."""
    asked = Workload(engine="sglang", card_bytes=None if gib is None else round(gib * GIB))
    found = [server(replace(asked, tensor_parallel=ranks), latent=False) for ranks in (1, 3, 4)]
    assert [each.chunk_tokens for each in found] == [chunk] * 3
    assert [each.graph_sequences for each in found] == [few, few, many]


@pytest.mark.parametrize(("gib", "least"), [(12, 1 / GIB), (20, 20), (60, 60), (79.65, 60), (159, 60), (192, 160)])
def test_cards_with_the_same_defaults_are_asked_once(gib: float, least: float) -> None:
    assert alike_bytes(round(gib * GIB)) == round(least * GIB)


@pytest.mark.parametrize(
    ("tokens", "graphs"),
    [
        (2048, 8 + 14 + 8 + 8 + 4),  # to 32 by 4, to 256 by 16, to 512 by 32, to 1,024 by 64, then by 256
        (4096, 8 + 14 + 8 + 8 + 12),
        (8192, 8 + 14 + 8 + 8 + 12 + 8),  # and by 512
        (100, 8 + 4),
    ],
)
def test_sizes_of_captured_prefills(tokens: int, graphs: int) -> None:
    """`generate_prefill_cuda_graph_batch_sizes` in `srt/arg_groups/cuda_graph_hook.py`."""
    assert prefill_graphs(tokens) == graphs


@pytest.mark.parametrize(("tokens", "counted"), [(512, 2048), (2048, 2048), (2049, 2049)])
def test_activations_of_two_thousand_tokens_at_least(tokens: int, counted: int) -> None:
    """`max(chunked_prefill_size, 2048) * 1.5` MiB."""
    found = server(Workload(engine="sglang", card_bytes=24 * GIB, batched_tokens=tokens), latent=False)
    assert (found.chunk_tokens, found.activation_bytes) == (tokens, round(counted * 1.5 * 2**20))


def test_a_server_takes_its_share_of_the_card_at_the_start() -> None:
    """0.83 of 81,559 MiB on each of two cards, and told so."""
    answer = estimate(
        reference_shape("llama-3-1-8b-instruct"), Workload(engine="sglang", card_bytes=81_559 * 2**20, util=0.83)
    )
    (said,) = [note.values for note in answer.notes if note.key == "sglang_static"]
    assert said == {"percent": "83.0", "cards": 1, "bytes": round(81_559 * 2**20 * 0.83)}


def test_a_request_takes_two_tokens_at_least() -> None:
    """`resolve_max_num_reqs`: half as many requests as tokens, where a pool is that small."""
    held = server_prints(
        reference_shape("llama-3-1-8b-instruct"), Workload(engine="sglang", context_tokens=1), 1000 * 131_072
    )
    assert (held.tokens, held.max_requests) == (1000, 500)


@pytest.mark.parametrize(
    ("name", "tokens", "context", "gib"),
    [
        # "max_total_num_tokens=46611, ..., max_running_requests=2048, context_len=32768", K and V of 1.42 GB
        ("qwen2-5-32b-instruct", 46_611, 32_768, 2.845),
        # "max_total_num_tokens=104273, ..., max_running_requests=2048, context_len=40960", K and V of 5.57 GB
        ("qwen3-0-6b", 104_273, 40_960, 11.138),
    ],
)
def test_requests_as_printed(name: str, tokens: int, context: int, gib: float) -> None:
    ranks = 4 if name.startswith("qwen2") else 1
    asked = Workload(engine="sglang", kv_format="bf16", tensor_parallel=ranks, context_tokens=context)
    held = server_prints(reference_shape(name), asked, round(gib * GIB))
    assert held.tokens == pytest.approx(tokens, rel=0.001)
    assert held.max_requests == 2048
    assert held.concurrency == held.tokens / context


def test_states_bound_the_requests() -> None:
    """Qwen3.6-27B: "max_mamba_cache_size: 154" beside 403,904 tokens of cache; five states for a request."""
    asked = Workload(engine="sglang", kv_format="bf16", capability=(12, 0), context_tokens=8192)
    held = server_prints(reference_shape("qwen3-6-27b"), asked, round((2 * 12.33 + 22.23) * GIB))
    assert held.tokens == pytest.approx(403_904, rel=0.01)  # a build from before that version
    assert (held.max_requests, held.concurrency) == (154 // 5, 154 // 5)


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        ({}, 2048),  # 163,840 / 131,072 * 512 = 640
        ({"context_tokens": 32_768}, 2560),
        ({"context_tokens": 1024}, 4096),
        ({"max_seqs": 64}, 64),
        ({"max_seqs": 64, "data_parallel": 2}, 64),  # each copy of the model has as many
    ],
)
def test_most_requests(asked: dict[str, Any], most: int) -> None:
    """`resolve_max_num_reqs`: Llama 3.1 8B has 128 KiB a token, so that 20 GiB hold 163,840."""
    workload = Workload(engine="sglang", **{"context_tokens": 131_072, **asked})
    held = server_prints(reference_shape("llama-3-1-8b-instruct"), workload, 20 * GIB)
    assert (held.tokens, held.max_requests) == (163_840, most)
    assert (held.blocks, held.block_bytes) == (163_840, 131_072)


@pytest.mark.parametrize(
    "name", ["llama-3-1-8b-instruct", "deepseek-v3", "gpt-oss-20b", "qwen3-next-80b-a3b-instruct", "gemma-3-27b-it"]
)
@pytest.mark.parametrize("context", [500, 8192, 131_072])
def test_as_many_requests_as_it_says_fit(name: str, context: int) -> None:
    workload = Workload(engine="sglang", context_tokens=context)
    shape = reference_shape(name)
    held = server_prints(shape, workload, 20 * GIB)
    kept = pool(shape, Layout("bf16", 1))
    chunk = server(workload, latent=False).chunk_tokens
    room = kept.fitting(20 * GIB, (range(shape.num_layers),))

    def fits(sequences: int) -> bool:
        needed = kept.needed(replace(workload, sequences=sequences), chunk)
        return all(one <= most for one, most in zip(needed, room, strict=True))

    number = int(held.concurrency)
    assert number == 0 or fits(number)
    assert number == held.max_requests or not fits(number + 1)


def test_without_the_prefix_cache_requests_settle_windows_and_states() -> None:
    """`SWARequestCapPoolConfigurator`: (128 + 128 + 2) * 16 + 2 * 4096 + 1 tokens of gpt-oss-20b's windows."""
    shape = reference_shape("gpt-oss-20b")
    asked = Workload(engine="sglang", max_seqs=16, prefix_caching=False)
    window = (128 + 128 + 2) * 16 + 2 * 4096 + 1
    token = 8 * 64 * 2 * 2
    assert server_prints(shape, asked, 20 * GIB).tokens == (20 * GIB - window * 12 * token) // (12 * token)
    hybrid = reference_shape("qwen3-next-80b-a3b-instruct")
    assert server_prints(hybrid, replace(asked, max_seqs=8), 20 * GIB).max_requests == 8


def test_what_is_left_of_a_card() -> None:
    """`_profile_available_bytes`: a share of what the driver leaves, less the weights; not told beside an encoder."""
    shape = reference_shape("llama-3-1-8b-instruct")
    answer = estimate(shape, Workload(engine="sglang", card_bytes=80 * GIB, util=0.8))
    held = served(shape, answer)
    assert held is not None
    left = 0.8 * (80 * GIB - 300 * 2**20) - answer.part("weights").bytes
    assert held.available_bytes == pytest.approx(left, abs=2)
    assert served(shape, replace(answer, workload=replace(answer.workload, vision=True))) is None


@pytest.mark.parametrize(
    ("asked", "chunk", "sequences", "fraction"),
    [
        ({}, 8192, 256, 0.83),
        ({"batched_tokens": 4096}, 4096, 256, 0.874),  # 10 GiB are left at least: (81559 - 10240) / 81559
        ({"max_seqs": 16}, 8192, 16, 0.835),
        ({"util": 0.7}, 8192, 256, 0.7),
        ({"eager": True}, 8192, 0, 0.841),
    ],
)
def test_what_can_be_asked_of_a_server(asked: dict[str, Any], chunk: int, sequences: int, fraction: float) -> None:
    """`handle_gpu_memory_settings` on an H100, as its own code answers: 81,559 MiB less 512, 1.5 a token, 128, 2 a
    sequence and 8 a prefill graph."""
    found = server(Workload(engine="sglang", card_bytes=81_559 * 2**20, **asked), latent=False)
    assert (found.chunk_tokens, found.graph_sequences, found.fraction) == (chunk, sequences, fraction)


def test_a_request_of_a_windowed_model_keeps_both_pools() -> None:
    """gpt-oss-20b: 12 full layers keep all tokens, 12 keep their window of 128 and what is not evicted yet."""
    shape = catalogued("openai/gpt-oss-20b")
    found = server_prints(shape, Workload(engine="sglang", context_tokens=8192), 20 * GIB)
    full, window = pool(shape, Layout("bf16", 1)).of_a_request(8192)
    assert full >= 8192 > window >= 128
    token = 2 * 8 * 64 * 2  # keys and values of 8 heads in 16 bits
    assert found.request_bytes == 12 * (full + window) * token
