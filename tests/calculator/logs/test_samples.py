"""Whole logs: program, build, model, settings, cards and how they ended."""

from __future__ import annotations

import pytest

from calculator.logs import Reading, read_log, sglang
from tests.calculator.logs.samples import NAMES, sample

MIB, GIB = 2**20, 2**30


def of(name: str) -> Reading:
    return read_log(sample(name))


def figures(reading: Reading) -> dict[tuple[str, str], float]:
    return {(each.quantity, each.device or each.place): round(each.value / MIB, 2) for each in reading.printed}


def test_llama_server() -> None:
    reading = of("llama-server.log")
    assert (reading.program, reading.engine, reading.build) == ("llama.cpp", "llama.cpp", "b6710")
    assert reading.names[0] == "Llama-3.1-8B-Instruct"
    assert reading.settings == {
        "weight_format": "Q4_K_M",
        "kv_format": "q8_0",
        "context_tokens": 4096,
        "sequences": 1,
        "micro_batch": 512,
        "batch": 2048,
        "output_rows": 2048,  # that build has no limit below a batch
    }
    assert figures(reading) == {
        ("file_bytes", "all"): 4689.92,
        ("weights", "CPU"): 281.81,
        ("weights", "CUDA0"): 4403.49,
        ("kv_cache", "CUDA0"): 272.0,
        ("kv_cache", "all"): 272.0,
        ("compute", "CUDA0"): 258.5,
        ("compute", "CUDA_Host"): 16.01,
        ("total", "GPU 0"): 5486.0,  # its own process, not the desktop's
    }
    assert (reading.shown["num_layers"], reading.shown["num_kv_heads"]) == (32, 8)
    assert reading.cards[0].name == "NVIDIA GeForce RTX 4090"
    assert reading.failure is None


def test_two_contexts_of_llama_server() -> None:
    """The second context's buffers are its own; the number of guesses stands in the first (`n_outputs_max_per_seq`)."""
    reading = of("llama-server-mtp.log")
    assert reading.settings == {
        "weight_format": "Q4_K_M",
        "kv_format": "q8_0",
        "context_tokens": 131_072,
        "slots": 4,
        "kv_unified": True,
        "micro_batch": 512,
        "batch": 2048,
        "output_rows": 16,
        "mtp": 3,
        "draft_kv_format": "f16",
        "draft_kv_v_format": "f16",
    }
    assert figures(reading) == {
        ("weights", "CPU"): 682.03,
        ("weights", "CUDA0"): 15_339.44,
        ("kv_cache", "CUDA0"): 4352.0,
        ("kv_cache", "all"): 4352.0,
        ("state", "CUDA0"): 2394.0,
        ("state", "all"): 2394.0,
        ("compute", "CUDA0"): 720.28,
        ("compute", "CUDA_Host"): 148.28,
        ("draft_kv_cache", "CUDA0"): 512.0,
        ("draft_kv_cache", "all"): 512.0,
        ("draft_compute", "CUDA0"): 196.02,
        ("draft_compute", "CUDA_Host"): 148.02,
    }
    assert reading.traits == frozenset()


def _without(text: str, *words: str) -> str:
    return "\n".join(line for line in text.splitlines() if not any(word in line for word in words))


@pytest.mark.parametrize(
    ("left_out", "added", "guesses"),
    [
        ((), "", 3),
        (("n_outputs_max_per_seq",), "", 3),  # a recurrent state for each
        (("n_outputs_max_per_seq", "n_rs_seq"), "", 3),
        (("n_outputs_max_per_seq", "n_rs_seq", "n_max="), "", 3),  # the program's own default
        (("n_outputs_max_per_seq", "n_rs_seq", "n_max="), " --spec-draft-n-max 5", 5),
    ],
)
def test_guesses_are_told_in_several_places(left_out: tuple[str, ...], added: str, guesses: int) -> None:
    text = _without(sample("llama-server-mtp.log"), *left_out)
    assert read_log(text.replace("--spec-type draft-mtp", f"--spec-type draft-mtp{added}")).settings["mtp"] == guesses


def test_a_second_context_of_unknown_kind_is_left_out() -> None:
    reading = read_log(_without(sample("llama-server-mtp.log"), "draft-mtp", "MTP draft context"))
    assert "mtp" not in reading.settings
    assert {"second_context", "multi_token_prediction"} <= reading.traits
    assert not any(each.quantity.startswith("draft") for each in reading.printed)


def test_a_draft_model_is_read_beside_the_model() -> None:
    """Its weights, cache and compute buffer stand behind the line that loads it."""
    text = sample("llama-server.log")
    load = text[text.index("llama_model_loader") : text.index("main: server")]
    small = load.replace("4403.49", "500.00").replace("272.00", "17.00").replace("258.50", "99.00")
    reading = read_log(f"{text}\ncommon_speculative_init_result: loading draft model '/home/ann/small.gguf'\n{small}")
    assert figures(reading)["weights", "CUDA0"] == 4403.49
    assert figures(reading)["draft_weights", "CUDA0"] == 500.0
    assert figures(reading)["draft_kv_cache", "CUDA0"] == 17.0
    assert figures(reading)["draft_compute", "CUDA0"] == 99.0
    assert "draft_model" in reading.traits


def test_ollama_out_of_memory() -> None:
    reading = of("ollama-out-of-memory.log")
    assert (reading.program, reading.engine, reading.build) == ("ollama", "llama.cpp", "0.6.5")
    assert reading.blob.startswith("eabc98a9bcbf")
    assert reading.names == ("Qwen2.5 32B Instruct",)
    assert reading.settings["flash_attention"] is False
    assert reading.failure
    assert (reading.failure.key, reading.failure.part, reading.failure.bytes) == ("out_of_memory", "compute", 385875968)
    assert reading.cards[0].name == "AMD Radeon RX 7900 XT"
    assert "other_platform" in reading.traits


def test_vllm() -> None:
    reading = of("vllm.log")
    assert (reading.program, reading.build) == ("vllm", "0.10.2")
    assert reading.names == ("Qwen/Qwen3-8B", "Qwen3-8B")  # from the folder of the hub's cache
    assert (reading.settings["weight_format"], reading.settings["util"]) == ("BF16", 0.9)
    assert reading.of("kv_tokens")[0].value == 136_080
    assert reading.of("pool")[0].value == int(18.69 * GIB)


def test_vllm_with_too_small_a_cache() -> None:
    failure = of("vllm-cache-too-small.log").failure
    assert failure
    assert failure.key == "cache_too_small"  # not the line before it, that the engine core failed
    assert failure.values["most_tokens"] == 47_872
    assert failure.values["tokens"] == 131_072


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        (
            "server_args=ServerArgs(tp_size=8, dp_size=1, attn_dp_size=8, ep_size=8, enable_dp_attention=False)",
            {"tensor_parallel": 8, "data_parallel": 8, "attention_data_parallel": True, "expert_parallel": True},
        ),
        (
            "server_args=ServerArgs(tp_size=8, dp_size=4, ep_size=1, enable_dp_attention=True)",
            {"tensor_parallel": 8, "data_parallel": 4, "attention_data_parallel": True},
        ),
        ("sglang serve --model-path a/b --tp 4 --dp 2", {"tensor_parallel": 4, "data_parallel": 2}),
        ("ServerArgs(tp_size=8, ep_size=2, dp_size=1, enable_dp_attention=False)", {"tensor_parallel": 8}),
    ],
)
def test_copies_and_experts_of_sglang(line: str, settings: dict[str, object]) -> None:
    reading = sglang.read([line])
    assert reading is not None
    assert reading.settings == settings


def test_sglang() -> None:
    reading = of("sglang.log")
    assert (reading.program, reading.settings["tensor_parallel"]) == ("sglang", 4)
    assert reading.settings["context_tokens"] == 32_768  # printed last: the arguments leave it open
    assert reading.names == ("Qwen2.5-32B-Instruct",)
    assert reading.of("kv_tokens")[0].value == 46_611


def test_nvidia_smi_counts_the_cards_in_use() -> None:
    reading = of("nvidia-smi.txt")
    assert (reading.program, reading.engine, len(reading.cards)) == ("nvidia-smi", "vllm", 2)
    assert [each.value // MIB for each in reading.printed] == [45_102]


TOO_FEW = (
    "The model's max seq len (8192) is larger than the maximum number of tokens that can be stored in KV cache (2400)."
)
BELOW = (
    "ValueError: Free memory on device (59.32/79.15 GiB) on startup is less than desired GPU memory utilization"
    " (0.9, 71.24 GiB)."
)
TORCH = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.02 GiB. GPU 0 has a total capacity of 23.52 GiB of"
    " which 115.69 MiB is free."
)


@pytest.mark.parametrize(
    ("line", "key", "part"),
    [
        ("CUDA error: out of memory", "out_of_memory", "weights"),
        ("llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache", "", ""),
        ("ggml_gallocr_reserve_n: failed to allocate CUDA0 buffer of size 385875968", "out_of_memory", "compute"),
        ("vk::Device::allocateMemory: ErrorOutOfDeviceMemory", "out_of_memory", "weights"),
        ("ValueError: No available memory for the cache blocks. Try increasing", "no_cache_blocks", "kv_cache"),
        (TOO_FEW, "cache_too_few_tokens", "kv_cache"),
        (BELOW, "below_budget", ""),
        (TORCH, "out_of_memory", ""),
        (
            "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static",
            "no_cache_blocks",
            "kv_cache",
        ),
        ("RuntimeError: Engine core initialization failed. See root cause above.", "ended", ""),
        ("model requires more system memory (24.1 GiB) than is available (12.4 GiB)", "more_ram_than_there_is", ""),
    ],
)
def test_ends(line: str, key: str, part: str) -> None:
    program = {
        "CUDA e": "load_tensors: x",
        "llama_": "load_tensors: x",
        "ggml_g": "load_tensors: x",
        "vk::De": "load_tensors: x",
        "Runtim": "Load weight begin." if "--mem" in line else "Initializing a V1 LLM engine (v0.11.0)",
        "model ": "source=server.go:1",
    }.get(line[:6], "Initializing a V1 LLM engine (v0.11.0)")
    if not key:
        line += "\nalloc_tensor_range: failed to allocate CUDA0 buffer of size 1\n" + line
        key, part = "out_of_memory", "kv_cache"
    failure = read_log(f"{program}\n{line}").failure
    assert failure
    assert (failure.key, failure.part) == (key, part)


def test_slots_that_share_and_slots_that_do_not() -> None:
    shared = read_log("llama_context: n_seq_max = 4\nllama_context: n_ctx = 8192\nllama_context: kv_unified = true")
    apart = read_log(
        "llama_context: n_seq_max = 4\nllama_context: n_ctx = 8192\nllama_context: n_ctx_seq = 2048\n"
        "llama_context: kv_unified = false"
    )
    assert shared.settings == {"context_tokens": 8192, "slots": 4, "kv_unified": True}
    assert (apart.settings["context_tokens"], apart.settings["sequences"]) == (2048, 4)


def test_a_later_model_counts_and_a_draft_does_not() -> None:
    load = (
        "llama_model_loader: loaded meta data with 3 key-value pairs and 9 tensors from /x/{}.gguf (version GGUF V3)\n"
    )
    size = "load_tensors: CUDA0 model buffer size = {} MiB\n"
    two = load.format("first") + size.format(1) + "x\n" * 300 + load.format("second") + size.format(2)
    assert read_log(two).names == ("second",)
    assert [each.value // MIB for each in read_log(two).of("weights")] == [2]
    draft = (
        load.format("main")
        + size.format(1)
        + "srv load_model: loading draft model\n"
        + load.format("d")
        + size.format(2)
    )
    assert read_log(draft).names == ("main",)
    assert "draft_model" in read_log(draft).traits


@pytest.mark.parametrize("name", NAMES)
def test_colours_tabs_and_prefixes_do_not_matter(name: str) -> None:
    text = sample(name)
    dressed = "\n".join(
        f"\x1b[0;36mqwen-1  | Nov 20 10:00:00 host app[12]:\x1b[0m {line}" for line in text.splitlines()
    )
    if name != "nvidia-smi.txt":  # a table is recognised by its frame
        assert read_log(dressed).of("weights") == read_log(text).of("weights")
        assert read_log(dressed).settings == read_log(text).settings
