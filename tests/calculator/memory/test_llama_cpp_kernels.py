"""Which layers CUDA has a kernel for: the tables of the two questions that llama.cpp asks its back end."""

from __future__ import annotations

import pytest

from calculator.memory.llama_cpp import flash
from calculator.memory.llama_cpp.graph import recurrent


@pytest.mark.parametrize("size", range(8, 300))
def test_heads_of_one_size(size: int) -> None:
    """`ggml_cuda_get_best_fattn_kernel`: the sizes of its first `switch`, keys as wide as values."""
    assert flash._cuda(size, size, 1) is (size in {40, 64, 72, 80, 96, 112, 128, 256})


@pytest.mark.parametrize(
    ("key", "value", "group", "runs"),
    [
        (192, 128, 16, True),  # DeepSeek-V2 without absorption, MiMo-V2: multiples of 8
        (192, 128, 8, True),
        (192, 128, 12, False),
        (192, 192, 8, False),
        (320, 256, 32, True),
        (320, 256, 16, False),
        (512, 512, 2, True),  # Gemma 4
        (512, 512, 1, False),
        (576, 512, 128, True),  # latent attention
        (576, 576, 128, False),
        (128, 64, 8, False),
        (100, 100, 4, False),
    ],
)
def test_heads_of_two_sizes(key: int, value: int, group: int, runs: bool) -> None:
    assert flash._cuda(key, value, group) is runs


@pytest.mark.parametrize(
    ("inner", "state", "size", "runs"),
    [
        (5120, 16, 1, True),  # Mamba 1
        (5120, 15, 1, False),
        (5120, 32, 1, False),
        (5000, 16, 1, False),  # not in whole blocks of 128
        (4096, 128, 64, True),  # Mamba 2
        (4096, 256, 64, True),  # Falcon-H1
        (4096, 96, 64, True),
        (4096, 64, 64, False),
        (4096, 128, 24, False),  # heads in steps of 16
    ],
)
def test_scans_of_states(inner: int, state: int, size: int, runs: bool) -> None:
    """`GGML_OP_SSM_SCAN` in `ggml_backend_cuda_device_supports_op`."""
    assert recurrent._has_kernel(inner, state, size) is runs
