"""Which back end of llama.cpp printed a log: its devices are named after it."""

from __future__ import annotations

import pytest

from calculator.logs.llama_cpp.memory import memory_of

GRAPH = "sched_reserve: {:>10} compute buffer size = {} MiB"


@pytest.mark.parametrize(
    ("devices", "back_end"),
    [
        (("MTL0", "CPU"), "metal"),
        (("Metal", "CPU"), "metal"),  # builds of 2025 with one device
        (("Vulkan0", "Vulkan_Host"), "vulkan"),
        (("CPU",), "cpu"),
        (("CUDA0", "CUDA_Host"), None),
        (("ROCm0", "ROCm_Host"), None),  # CUDA's kernels
    ],
)
def test_devices_tell_the_back_end(devices: tuple[str, ...], back_end: str | None) -> None:
    found = memory_of(GRAPH.format(device, "48.09") for device in devices)
    assert found.settings.get("back_end") == back_end
    assert ("other_platform" in found.traits) == (devices[0] == "ROCm0")


def test_without_a_card_the_cache_lies_in_ram() -> None:
    """The line of the whole cache names no device."""
    lines = [
        (
            "llama_kv_cache: size = 2448.00 MiB ( 32768 cells, 36 layers, 4/1 seqs), "
            "K (q8_0): 1224.00 MiB, V (q8_0): 1224.00 MiB"
        ),
        GRAPH.format("CPU", "128.09"),
    ]
    assert {(each.quantity, each.place) for each in memory_of(lines).printed} == {
        ("kv_cache", "host"),
        ("compute", "host"),
    }
