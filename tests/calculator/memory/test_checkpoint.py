"""Formats of checkpoints: what a file holds beyond the loaded model, and what a tensor's own dtype says."""

from __future__ import annotations

import pytest

from calculator.architecture.shape import Quantization, Scheme
from calculator.memory.checkpoint import FORMATS, is_native, native_format, of_checkpoint
from tests.calculator.memory.shapes import catalogued, published, tiny_llama


def test_only_gptq_s_file_holds_more_than_the_model() -> None:
    """Zero points of 4 bits for each group of 128, and the order of the columns in 32: Marlin drops both."""
    extra = {name: form.file_extra(256, 384) for name, form in FORMATS.items()}
    assert extra.pop("GPTQ") == 3 * 256 // 2 + 4 * 384
    assert set(extra.values()) == {0}


@pytest.mark.parametrize(
    ("name", "rows", "columns", "size"),
    [
        ("AWQ", 3, 128, 192 + 3 * 2 + 2),  # an odd number of rows: the last zero point takes a byte
        ("GPTQ", 3, 3, 5 + 3 * 2),  # half a byte is a byte
        ("AWQ", 256, 130, 256 * 65 + 2 * 256 * 2 + 2 * 128),  # a last group of two columns
        ("FP8-BLOCK", 129, 129, 129 * 129 + 4 * 2 * 2),
        ("NVFP4", 8, 32, 8 * 16 + 8 * 2 + 8),
        ("MXFP4", 8, 64, 8 * 32 + 8 * 2),
    ],
)
def test_what_does_not_divide_is_rounded_up(name: str, rows: int, columns: int, size: int) -> None:
    assert FORMATS[name].matrix_bytes(rows, columns) == size


def stated(method: str, dtype: str, bits: int, **scheme: object) -> Quantization:
    return Quantization(method=method, schemes=(Scheme(dtype=dtype, bits=bits, **scheme),))  # type: ignore[arg-type]


AWQ_OF_64 = stated("awq", "INT4", 4, group_size=64, zero_bits=4)
GPTQ_OF_64 = stated("gptq", "INT4", 4, group_size=64)
BLOCKS_OF_64 = stated("fp8", "FP8", 8, block=(64, 32))


@pytest.mark.parametrize(
    ("dtype", "native", "quantization", "name", "size"),
    [
        ("BF16", "FP8", None, "BF16", 2 * 256 * 256),
        ("F32", "FP8", None, "BF16", 2 * 256 * 256),  # vLLM casts
        ("FP8", "FP8", None, "FP8", 256 * 256 + 4),
        ("FP8", "FP8", BLOCKS_OF_64, "FP8-BLOCK", 256 * 256 + 4 * 4 * 8),
        ("INT4", "AWQ", None, "AWQ", 256 * 128 + 2 * 256 * 2 + 2 * 128),
        ("INT4", "AWQ", AWQ_OF_64, "AWQ", 256 * 128 + 4 * 256 * 2 + 4 * 128),
        ("INT4", "GPTQ", GPTQ_OF_64, "GPTQ", 256 * 128 + 4 * 256 * 2),
        ("INT4", "INT4", GPTQ_OF_64, "INT4", 256 * 128 + 4 * 256 * 2),
        ("INT4", "INT4", Quantization(method="compressed-tensors"), "INT4", 256 * 128 + 8 * 256 * 2),
        # By hand: payload of so many bits, a scale for each group or output, and zero points where they mean something.
        ("INT3", "INT3", stated("gptq", "INT3", 3, group_size=128), "INT3", 256 * 96 + 2 * 256 * 2),
        ("INT8", "INT8", stated("gptq", "INT8", 8, group_size=128), "INT8", 256 * 256 + 2 * 256 * 2),
        ("INT8", "INT8", stated("bitsandbytes", "INT8", 8, per_channel=True), "INT8", 256 * 256 + 4 * 256),
        ("INT4", "INT4", stated("compressed-tensors", "INT4", 4, per_channel=True), "INT4", 256 * 128 + 2 * 256),
        ("INT4", "INT4", stated("torchao", "INT4", 4, group_size=64, zero_bits=16), "INT4", 256 * 128 + 4 * 256 * 4),
        ("NF4", "NF4", stated("bitsandbytes", "NF4", 4, group_size=64), "NF4", 256 * 128 + 4 * 256 * 4),
        ("NF4", "NF4", stated("bitsandbytes", "NF4", 4, group_size=64, nested=True), "NF4", 256 * 128 + 4 * 256 + 16),
        ("MXFP8", "MXFP8", stated("modelopt", "MXFP8", 8, group_size=32), "MXFP8", 256 * 256 + 8 * 256),
        ("FP8-2", "NVFP4", stated("modelopt", "FP8-2", 8, per_channel=True), "FP8", 256 * 256 + 4 * 256),
        ("MXFP4", "MXFP4", GPTQ_OF_64, "MXFP4", 256 * 128 + 8 * 256),
    ],
)
def test_a_tensor_is_held_as_its_checkpoint_says(
    dtype: str, native: str, quantization: Quantization | None, name: str, size: int
) -> None:
    form = of_checkpoint(dtype, native, quantization)
    assert (form.name, form.matrix_bytes(256, 256)) == (name, size)


@pytest.mark.parametrize(
    ("dtype", "native"), [("bfloat16", "BF16"), ("float16", "FP16"), ("float32", "BF16"), ("torch.float16", "FP16")]
)
def test_wide_checkpoints_are_loaded_in_16_bits(dtype: str, native: str) -> None:
    shape = tiny_llama(torch_dtype=dtype)
    assert native_format(shape) == native
    assert not is_native(shape)


def test_quantised_ones_as_they_are() -> None:
    assert is_native(catalogued("deepseek/deepseek-v3"))
    assert native_format(catalogued("openai/gpt-oss-20b")) == "MXFP4"
    assert not is_native(published("gpt-oss-20b"))
