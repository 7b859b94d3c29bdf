"""vLLM on cards (version 0.33.0)."""

from __future__ import annotations

from collections.abc import Iterator

from calculator.architecture.shape import Shape
from calculator.hardware import headroom
from calculator.hardware.cards import Card
from calculator.hardware.command import Command, WeightSource
from calculator.hardware.engines.base import Alike, Setting, Sizes
from calculator.hardware.engines.spread import ByTensors
from calculator.hardware.engines.vllm import commands
from calculator.hardware.fit import Fit
from calculator.hardware.multiprocessors import multiprocessors
from calculator.hardware.reason import Reason
from calculator.hardware.support import Support, native_or_unpacked, pytorch_unpacks
from calculator.memory import Workload
from calculator.memory.vllm.constants import workspaces
from calculator.memory.vllm.layers import needs_sparse_attention
from calculator.memory.vllm.serving import (
    LARGE_CARDS,
    SLOW_FOR_THEIR_MEMORY,
    SPARSE_CAPABILITIES,
    UTILISATION,
    is_slow,
    limits,
    reserved_bytes,
)

SUPPORT = Support(
    own=frozenset({"nvidia", "amd", "intel"}),  # docs/getting_started/installation/gpu.md
    # The list in vllm/model_executor/custom_op.py, and that of docs/getting_started/installation ("Hardware Plugins").
    plugins={
        "huawei": "vllm-ascend",
        "metax": "vLLM-metax",
        "kunlunxin": "vLLM-Kunlun",
        "cambricon": "vllm-mlu",
        "moore-threads": "vllm-musa",
        "google": "tpu-inference",
        "aws": "vllm-neuron",
    },
    refused=frozenset({"apple"}),  # vllm-metal keeps weights and caches in MLX arrays
    least_capability=(7, 5),  # docs/getting_started/installation/gpu.cuda.inc.md (v0.21)
)


SPARSE = "sparse_attention"


class Vllm(ByTensors):
    def alike_bytes(self, device_bytes: int) -> int | None:
        """The batch is chosen by the card's memory, in steps."""
        return next((least for least, *_ in LARGE_CARDS if device_bytes >= least), None)

    def alike(self, card: Card) -> Alike:
        """Back ends are chosen by capability, one name keeps a large card at the small batch, and kernels keep memory
        for each multiprocessor."""
        name = SLOW_FOR_THEIR_MEMORY if is_slow(card.name) else None
        found = multiprocessors(card.name) if card.vendor == "nvidia" else None
        return Alike(self.alike_bytes(card.device_bytes), card.capability, name, multiprocessors=found)

    def beside(self, asked: Alike, workload: Workload) -> tuple[Alike, Sizes]:
        """Only the workspaces grow with the multiprocessors."""
        here, any_card = workspaces(asked.multiprocessors), workspaces(None)
        more = here.least - any_card.least, here.bytes - any_card.bytes, here.most - any_card.most
        return asked._replace(multiprocessors=None), more

    def offered_bytes(self, card: Card, workload: Workload) -> tuple[int, int]:
        """`--gpu-memory-utilization`: 0.92 of the card unless raised, and no more than the reader says."""
        share = reserved_bytes(card.usable_bytes, workload)
        return share, (card.usable_bytes if workload.util is None else share)

    def card_needs(self, shape: Shape) -> frozenset[str]:
        return frozenset({SPARSE}) if needs_sparse_attention(shape) else frozenset()

    def needs_reasons(self, card: Card, needs: frozenset[str]) -> Iterator[Reason]:
        """`v1/attention/backends/mla`: no back end of sparse attention takes an older capability."""
        if SPARSE in needs and card.capability is not None and card.capability[0] not in SPARSE_CAPABILITIES:
            values = {"engine": "vllm", "capability": str(card.compute_capability)}
            yield Reason("sparse_attention_unsupported", values, blocks=True)

    def settings(self, workload: Workload) -> dict[str, Setting]:
        tokens, sequences = limits(workload)
        util = UTILISATION if workload.util is None else workload.util
        return super().settings(workload) | {"batched_tokens": tokens, "max_seqs": sequences, "util": util}

    def format_reasons(self, card: Card, weight_format: str) -> Iterator[Reason]:
        return native_or_unpacked("vllm", card, weight_format, pytorch_unpacks)

    def commands(self, workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> tuple[Command, ...]:
        return (commands.serve(workload, source, hub, fit),)

    def with_draft(self, command: Command, draft: WeightSource, weight_format: str) -> Command:
        return commands.with_draft(command, draft)


ENGINE = Vllm(
    flags={
        "tensor_parallel": "--tensor-parallel-size",
        "pipeline_parallel": "--pipeline-parallel-size",
        "data_parallel": "--data-parallel-size",
        "expert_parallel": "--enable-expert-parallel",
        "batched_tokens": "--max-num-batched-tokens",
        "max_seqs": "--max-num-seqs",
        "util": "--gpu-memory-utilization",
        "eager": "--enforce-eager",
        "prefix_caching": "--disable-prefix-caching",
        "mtp": "--speculative-config",
    },
    allowance=headroom.NONE,  # the estimate has an interval
    support=SUPPORT,
    shared_block_tokens=16,  # whole blocks of the cache: v1/core/kv_cache_manager.py
)
