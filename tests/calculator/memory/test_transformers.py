"""transformers: exact cache lengths, what bitsandbytes leaves alone, sizes of published files."""

from __future__ import annotations

import pytest

from calculator.architecture import read_config
from calculator.architecture.shape import Attention
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from tests.calculator.memory.cards import cards_of
from tests.calculator.memory.shapes import catalogued, published, quantised, tiny_llama

TRANSFORMERS = ENGINES["transformers"]

FILES = [
    # "total_size" of the index that lies beside the published weights
    ("devstral-small-2507", "BF16", 47144806400),
    ("gemma-1-2b-it", "BF16", 5012344832),
    ("llama-3-2-3b-instruct", "BF16", 6425499648),
    ("phi-3-mini-4k-instruct", "BF16", 7642159104),
    ("llama-3-1-8b-instruct", "INT8", 9086705888),  # saved by bitsandbytes
]


@pytest.mark.parametrize(("name", "weights", "size"), FILES)
def test_size_of_a_published_file(name: str, weights: str, size: int) -> None:
    assert estimate(published(name), Workload(engine="transformers", weight_format=weights)).file_bytes == size


@pytest.mark.parametrize("context", [1, 17, 4096])
def test_the_cache_is_as_long_as_the_sequence(context: int) -> None:
    answer = estimate(tiny_llama(), Workload(engine="transformers", context_tokens=context, sequences=2))
    assert answer.part("kv_cache").bytes == 2 * context * 2 * 2 * 64 * 2


def test_a_window_keeps_its_own_length() -> None:
    answer = estimate(published("gemma-3-27b-it"), Workload(engine="transformers", context_tokens=32768))
    tokens = {term.key: term.values["tokens"] for term in answer.part("kv_cache").terms}
    assert tokens == {"cached_sliding": 1024, "cached_full": 32768}


def test_a_latent_is_cached_compressed() -> None:
    # transformers 5.24 models/deepseek_v3: 512 + 64 values per token and layer
    answer = estimate(published("deepseek-v3"), Workload(engine="transformers", context_tokens=1024))
    assert answer.part("kv_cache").bytes == 61 * 1024 * 576 * 2


STATES = [
    # name, layers that keep a state, inputs of the convolution (all `kernel` of them: `LinearAttentionLayer` in
    # cache_utils.py) in 16 bits, numbers of the state in 32
    ("lfm2-1-2b", 10, 3 * 2_048, 0),
    ("ai21-jamba-mini-1-5", 28, 4 * 8_192, 8_192 * 16),
    ("mamba-codestral-7b-v0-1", 64, 4 * (8_192 + 2 * 8 * 128), 8_192 * 128),
    ("qwen3-next-80b-a3b-instruct", 36, 4 * (2 * 2_048 + 4_096), 32 * 128 * 128),
    ("falcon-h1-7b-instruct", 44, 4 * (3_072 + 2 * 256), 3_072 * 256),  # attention beside it keeps none
]


@pytest.mark.parametrize(("name", "layers", "convolution", "state"), STATES, ids=[row[0] for row in STATES])
def test_bytes_of_a_state(name: str, layers: int, convolution: int, state: int) -> None:
    for sequences in (1, 3):
        answer = estimate(published(name), Workload(engine="transformers", sequences=sequences))
        assert answer.part("state").bytes == layers * sequences * (2 * convolution + 4 * state)


def test_a_gated_recurrence_keeps_all_but_one_input() -> None:
    """RecurrentGemma 2B: `conv1d_state` has `conv1d_width - 1` inputs, `recurrent_states` one number a channel."""
    config = {
        "model_type": "recurrent_gemma",
        "block_types": ["recurrent", "recurrent", "attention"],
        "attention_window_size": 2_048,
        "conv1d_width": 4,
        "head_dim": 256,
        "hidden_size": 2_560,
        "intermediate_size": 15_360,
        "lru_width": 2_560,
        "num_attention_heads": 10,
        "num_hidden_layers": 26,
        "num_key_value_heads": 1,
        "vocab_size": 256_000,
    }
    answer = estimate(read_config(config), Workload(engine="transformers", context_tokens=4_096))
    assert answer.part("state").bytes == 18 * (3 * 2_560 * 2 + 2_560 * 4)
    assert answer.part("kv_cache").bytes == 8 * 2_048 * 2 * 256 * 2


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("deepseek-v3-2", 61 * (512 + 64 + 128)),  # latent, rotary key, and a key of the indexer
        ("minimax-m3", 60 * 4 * 256 + 57 * 128),  # 4 heads of keys and values of 128, and 57 layers' indexers
    ],
)
def test_an_indexer_caches_keys_of_its_own(name: str, width: int) -> None:
    shape = published(name) if name == "deepseek-v3-2" else catalogued(f"minimax/{name}")
    answer = estimate(shape, Workload(engine="transformers", context_tokens=1_024))
    assert answer.part("kv_cache").bytes == 1_024 * width * 2


def test_compressed_attention_keeps_a_window_and_a_vector_for_every_few_tokens() -> None:
    """DeepSeek-V4 Flash: 43 windows of 128; 21 layers with one for 4 tokens and an indexer's key, 20 for 128."""
    answer = estimate(catalogued("deepseek/deepseek-v4-flash"), Workload(engine="transformers", context_tokens=8_192))
    values = 43 * 128 * 512 + 21 * 2_048 * (512 + 128) + 20 * 64 * 512
    assert answer.part("kv_cache").bytes == values * 2


def test_a_chunk_and_an_image_keep_their_own_length() -> None:
    chunked = estimate(published("llama-4-maverick-instruct"), Workload(engine="transformers", context_tokens=131_072))
    kept = 36 * 8_192 + 12 * 131_072  # every fourth layer sees everything
    assert chunked.part("kv_cache").bytes == kept * 8 * 256 * 2
    image = catalogued("meta/llama-3-2-11b-vision-instruct")
    crossed = estimate(image, Workload(engine="transformers", context_tokens=1_024))
    pixels = 4 * (560 // 14) ** 2 + 4  # four tiles of 40 x 40 patches and a class token each
    assert crossed.part("kv_cache").bytes == (32 * 1_024 + 8 * pixels) * 8 * 256 * 2


def test_every_card_of_a_hybrid_keeps_what_its_own_layers_do() -> None:
    """LFM2 1.2B on 4 cards, 2, 5, 5 and 4 layers: convolutions of 3 x 2,048 values, or 8 heads of 64."""
    cards = cards_of(published("lfm2-1-2b"), Workload(engine="transformers", context_tokens=1_000, pipeline_parallel=4))
    convolution, attention = 3 * 2_048 * 2, 1_000 * 8 * 128 * 2
    kinds = [isinstance(layer.mixers[0], Attention) for layer in published("lfm2-1-2b").layers]
    kept = [attention if attends else convolution for attends in kinds]
    assert [card["kv_cache"] for card in cards] == [sum(kept[:2]), sum(kept[2:7]), sum(kept[7:12]), sum(kept[12:])]
    assert sum(kinds) == 6


@pytest.mark.parametrize(
    ("name", "weights", "said"),
    [
        ("qwen3-8b", "BF16", set()),
        ("qwen3-8b", "INT8", set()),
        ("qwen3-8b", "NF4", {"nf4_single_quantisation"}),
        ("qwen3-30b-a3b", "BF16", set()),
        ("qwen3-30b-a3b", "INT8", {"bitsandbytes_skips_experts"}),
        ("qwen3-30b-a3b", "NF4", {"nf4_single_quantisation", "bitsandbytes_skips_experts"}),
    ],
)
def test_what_bitsandbytes_does_is_said(name: str, weights: str, said: set[str]) -> None:
    answer = estimate(published(name), Workload(engine="transformers", weight_format=weights))
    assert {note.key for note in answer.notes} == {"transformers_build", "prompt_in_one_pass"} | said


def test_nf4_by_hand() -> None:
    # 4 bits and an f32 maximum per 64: attention 256 x (256 + 64 + 64 + 256), feed-forward 3 x 256 x 512, two layers
    linear = 2 * (256 * 640 + 3 * 256 * 512)
    wide = 2 * 1000 * 256 + 5 * 256
    answer = estimate(tiny_llama(), Workload(engine="transformers", weight_format="NF4"))
    assert answer.part("weights").bytes == linear // 2 + linear // 64 * 4 + wide * 2


def test_a_quantised_checkpoint_by_hand() -> None:
    """FP8 in blocks of 128 x 128, a scale in 32 bits for each: q and o are 2 x 2 blocks, k and v 1 x 2, gate and up
    4 x 2, down 2 x 4. Embeddings, head and norms stay in 16 bits, and all may be widened."""
    shape = tiny_llama(quantization_config={"quant_method": "fp8", "weight_block_size": [128, 128]})
    linear = 2 * (256 * 640 + 3 * 256 * 512)
    wide = 2 * 1000 * 256 + 5 * 256
    native = estimate(shape, Workload(engine="transformers"))
    assert native.workload.weight_format == "FP8"
    assert native.part("weights").bytes == linear + 2 * 4 * (4 + 4 + 2 + 2 + 8 + 8 + 8) + 2 * wide
    assert {term.values["format"] for term in native.part("weights").terms} == {"FP8-BLOCK", "BF16"}
    widened = estimate(shape, Workload(engine="transformers", weight_format="BF16"))
    assert widened.part("weights").bytes == 2 * (linear + wide)


@pytest.mark.parametrize(("kv", "width"), [("bf16", 2), ("f16", 2), ("f32", 4)])
def test_what_a_model_computes_in_is_what_it_caches(kv: str, width: int) -> None:
    answer = estimate(tiny_llama(), Workload(engine="transformers", kv_format=kv, context_tokens=100))
    assert answer.part("kv_cache").bytes == 100 * 2 * 2 * 64 * width
    # prompt, layer's input, residual stream and normalised input; gate, up and their product; cos and sin of 32
    assert answer.part("compute").bytes == 100 * (4 * 256 + 3 * 512 + 2 * 32) * width


@pytest.mark.parametrize("kv", [None, "bf16", "f16", "f32"])
def test_a_model_loaded_in_32_bits_computes_and_caches_in_them(kv: str | None) -> None:
    """`dtype` of `from_pretrained` is that of every weight; nothing casts what they make (`DynamicLayer.update`)."""
    answer = estimate(
        tiny_llama(), Workload(engine="transformers", weight_format="FP32", kv_format=kv, context_tokens=100)
    )
    assert answer.part("kv_cache").bytes == 100 * 2 * 2 * 64 * 4
    assert answer.part("compute").bytes == 100 * (4 * 256 + 3 * 512 + 2 * 32) * 4
    assert (answer.workload.kv_format, answer.workload.kv_v_format) == ("f32", "f32")  # no other cache is there
    assert "computes_in_f32" in {note.key for note in answer.notes}


@pytest.mark.parametrize("weights", ["BF16", "INT8", "NF4"])
@pytest.mark.parametrize("name", ["qwen3-30b-a3b", "gemma-3-27b-it"])
def test_terms_count_every_parameter_once(name: str, weights: str) -> None:
    shape = published(name)
    answer = estimate(shape, Workload(engine="transformers", weight_format=weights, vision=True, context_tokens=1))
    counted = [term.values["parameters"] for key in ("weights", "vision") for term in answer.part(key).terms]
    assert sum(map(int, counted)) == shape.total_parameters


def test_experts_are_no_linear_layers() -> None:
    answer = estimate(published("qwen3-30b-a3b"), Workload(engine="transformers", weight_format="NF4"))
    formats = {term.values["tensors"]: term.values["format"] for term in answer.part("weights").terms}
    assert formats["experts"] == "BF16"
    assert formats["mixer"] == "NF4"
    assert "bitsandbytes_skips_experts" in {note.key for note in answer.notes}


def test_formats_of_a_quantised_checkpoint() -> None:
    shape = quantised("gpt-oss-20b", quant_method="mxfp4")
    assert TRANSFORMERS.weight_formats(shape) == ("BF16", "MXFP4")
    with pytest.raises(WorkloadError):
        estimate(shape, Workload(engine="transformers", weight_format="NF4"))


def test_ranks_are_not_supported() -> None:
    with pytest.raises(WorkloadError) as error:
        estimate(tiny_llama(), Workload(engine="transformers", tensor_parallel=2))
    assert error.value.field == "tensor_parallel"


@pytest.mark.parametrize(
    ("engine", "weights", "kv", "expected"),
    [
        ("vllm", "f16", "FP8_E4M3", ("FP16", "fp8")),
        ("vllm", "bfloat16", "bfloat16", ("BF16", "bf16")),
        ("transformers", "F32", "float16", ("FP32", "f32")),
        ("transformers", "nf4", "BF16", ("NF4", "bf16")),
    ],
)
def test_other_spellings_of_the_same_storage(engine: str, weights: str, kv: str, expected: tuple[str, str]) -> None:
    answer = estimate(tiny_llama(), Workload(engine=engine, weight_format=weights, kv_format=kv))
    assert (answer.workload.weight_format, answer.workload.kv_format) == expected
