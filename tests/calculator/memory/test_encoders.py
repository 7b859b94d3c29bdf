"""An encoder of images or sound stays wide whatever the text model's weights become."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from calculator.accuracy.references import reference_config
from calculator.architecture import read_config
from calculator.memory import ENGINES, Workload, estimate
from calculator.memory.llama_cpp import PRESETS
from tests.calculator.memory.shapes import published, quantised

FP8 = {"quant_method": "fp8", "weight_block_size": [128, 128]}
MIB = 2**20


def encoder_bytes(shape_name: str, engine: str, weight_format: str, **quantization: object) -> int:
    shape = quantised(shape_name, **quantization) if quantization else published(shape_name)
    workload = Workload(engine=engine, weight_format=weight_format, vision=True, context_tokens=256)
    return estimate(shape, workload).part("vision").bytes


def _at_rest(card: Mapping[str, int]) -> int:
    """What lies there between steps."""
    return sum(size for part, size in card.items() if part != "compute")


# model, elements of matrices and of vectors in its tower: 27 layers of 1,152 and 4,304, and a projector
# (SigLIP So400m; config.json of Gemma 3 27B)
TOWER = "gemma-3-27b-it"
MATRICES = (
    27 * (4 * 1_152 * 1_152 + 2 * 1_152 * 4_304)  # q, k, v, o; up and down
    + 3 * 14 * 14 * 1_152  # a patch of 14 x 14 pixels in three colours
    + 64 * 64 * 1_152  # positions: 896 / 14 = 64 a side
    + 1_152 * 5_376  # to the text model
)
VECTORS = 27 * (4 * 1_152 + 4_304 + 1_152 + 4 * 1_152) + 1_152 + 2 * 1_152 + 1_152  # biases and norms


@pytest.mark.parametrize("preset", PRESETS)
def test_llama_cpp_keeps_it_in_a_file_of_its_own(preset: str) -> None:
    """F16 matrices and F32 vectors (`MmprojModel` in conversion/base.py), and 256 MiB to compute in."""
    assert encoder_bytes(TOWER, "llama.cpp", preset) == 2 * MATRICES + 4 * VECTORS + 256 * MIB


@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_a_wide_checkpoint_may_be_narrowed_but_for_its_encoder(engine: str) -> None:
    for name in ENGINES[engine].weight_formats(published(TOWER)):
        width = 4 if name == "FP32" else 2
        assert encoder_bytes(TOWER, engine, name) == width * (MATRICES + VECTORS), name


@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_a_quantised_checkpoint_leaves_its_encoder_wide(engine: str) -> None:
    for name in ("BF16", "FP8"):
        assert encoder_bytes(TOWER, engine, name, **FP8) == 2 * (MATRICES + VECTORS), name


def test_ranks_share_an_encoders_matrices() -> None:
    """`mm_encoder_tp_mode` is `weights` by default: attention and feed-forward are split, with the biases of what they
    put out; patches, positions, norms and the way to the text lie on every rank (`siglip.py`, `gemma3_mm.py`)."""
    answer = estimate(published(TOWER), Workload(engine="vllm", tensor_parallel=2, vision=True))
    split = 27 * (4 * 1_152 * 1_152 + 2 * 1_152 * 4_304 + 3 * 1_152 + 4_304)
    assert answer.part("vision").bytes == 2 * (split + 2 * (MATRICES + VECTORS - split))


@pytest.mark.parametrize("engine", ENGINES)
def test_it_is_no_part_of_the_text_model(engine: str) -> None:
    """The text model's weights and file are the same with it and without."""
    blind, seeing = (estimate(published(TOWER), Workload(engine=engine, vision=vision)) for vision in (False, True))
    assert seeing.part("weights") == blind.part("weights")
    assert seeing.file_bytes == blind.file_bytes
    assert blind.part("vision").bytes == 0
    assert estimate(published(TOWER), Workload(engine=engine)).parts == blind.parts  # unless asked for
    if engine in ("vllm", "transformers"):
        text = sum(tensor.elements for tensor in published(TOWER).tensors_of("text"))
        assert blind.file_bytes == 2 * text


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_an_encoder_lies_on_the_first_card(engine: str) -> None:
    """Gemma 3 4B with a layer less, on two cards."""
    config = reference_config("gemma-3-4b-it")
    text = config["text_config"]
    assert isinstance(text, dict)
    shape = read_config(
        {**config, "text_config": {**text, "num_hidden_layers": 33, "layer_types": text["layer_types"][:33]}}
    )
    blind, seeing = (
        estimate(shape, Workload(engine=engine, pipeline_parallel=2, vision=vision)) for vision in (False, True)
    )
    encoder = seeing.part("vision").bytes
    assert encoder == 2 * sum(tensor.elements for tensor in shape.tensors_of("vision"))
    without, with_it = ([_at_rest(card) for card in answer.by_card] for answer in (blind, seeing))
    assert [after - before for before, after in zip(without, with_it, strict=True)] == [encoder, 0]
