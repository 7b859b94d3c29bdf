"""vLLM on cards (version 0.33.0)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from calculator.architecture.shape import Shape
from calculator.hardware.cards import Card
from calculator.hardware.command import Command, Source
from calculator.hardware.engines.base import HardwareEngine
from calculator.hardware.engines.vllm import commands
from calculator.hardware.fit import Fit
from calculator.hardware.headroom import Headroom
from calculator.hardware.rates import Lanes, Rate, native, ranks_and_stages
from calculator.hardware.reason import Reason
from calculator.hardware.splits import by_tensors, tensor_reasons
from calculator.hardware.support import Support, native_or_unpacked, pytorch_unpacks
from calculator.hardware.weight_bytes import WeightBytes, all_on_cards
from calculator.memory import Estimate, Workload
from calculator.memory.vllm import BATCHED_TOKENS_BY_CARD, UTILISATION_PERCENT

SUPPORT = Support(
    own=frozenset({"nvidia", "amd", "intel"}),  # docs/getting_started/installation/gpu.md
    plugins={  # the list in vllm/model_executor/custom_op.py, and docs of hardware plug-ins
        "huawei": "vllm-ascend",
        "metax": "vLLM-metax",
        "kunlunxin": "vLLM-Kunlun",
        "moore-threads": "vllm-musa",
        "google": "tpu-inference",
        "aws": "vllm-neuron",
    },
    refused=frozenset({"apple"}),  # vllm-metal keeps weights and caches in MLX arrays
    least_capability=(7, 5),  # docs/getting_started/installation/gpu.cuda.inc.md (v0.21)
)


class Vllm(HardwareEngine):
    def alike_bytes(self, device_bytes: int) -> int | None:
        """The batch is chosen by the card's memory, in steps."""
        return next((least for least, _tokens in BATCHED_TOKENS_BY_CARD if device_bytes >= least), None)

    def format_reasons(self, card: Card, weight_format: str) -> Iterator[Reason]:
        return native_or_unpacked("vllm", card, weight_format, pytorch_unpacks)

    def splits(self, devices: int) -> Iterable[tuple[int, int]]:
        return by_tensors(devices)

    def split_reasons(self, shape: Shape, workload: Workload) -> Iterator[Reason]:
        return tensor_reasons(shape, workload)

    def weight_bytes(self, shape: Shape, estimate: Estimate) -> WeightBytes:
        return all_on_cards(shape, estimate)

    def lanes(self, workload: Workload, devices: int) -> Lanes:
        return ranks_and_stages(workload)

    def rate(self, card: Card, weight_format: str) -> Rate:
        return native(card, weight_format)

    def least_offload(self, shape: Shape, workload: Workload, fits: Callable[[Workload], bool]) -> Workload | None:
        return None

    def commands(self, workload: Workload, source: Source, hub: str, fit: Fit | None) -> tuple[Command, ...]:
        return (commands.serve(workload, source, hub, fit),)

    def with_draft(self, command: Command, draft: Source, weight_format: str) -> Command:
        return commands.with_draft(command, draft)


ENGINE = Vllm(
    flags={"tensor_parallel": "--tensor-parallel-size", "pipeline_parallel": "--pipeline-parallel-size"},
    # `--gpu-memory-utilization` is 0.92 by default, so the rest is free unless the reader raises it.
    headroom=Headroom(100 - UTILISATION_PERCENT),
    support=SUPPORT,
    shared_block_tokens=16,  # whole blocks of the cache: v1/core/kv_cache_manager.py
)
