"""SGLang on cards (version 0.5.23)."""

from __future__ import annotations

from collections.abc import Iterator

from calculator.hardware.cards import Card
from calculator.hardware.command import Command, WeightSource
from calculator.hardware.engines.base import Alike, Setting
from calculator.hardware.engines.sglang import commands
from calculator.hardware.engines.spread import ByTensors
from calculator.hardware.fit import Fit
from calculator.hardware.headroom import Headroom
from calculator.hardware.reason import Reason
from calculator.hardware.support import Support, native_or_unpacked, pytorch_unpacks
from calculator.memory import Workload
from calculator.memory.sglang.server import alike_bytes, server

SUPPORT = Support(
    # docs/platforms: CUDA, ROCm, XPU, Ascend NPU and MUSA are in its own tree (`srt/hardware_backend`).
    own=frozenset({"nvidia", "amd", "intel", "huawei", "moore-threads"}),
    plugins={"google": "sglang-jax"},
    refused=frozenset({"apple"}),  # its MLX back end keeps weights and caches in MLX arrays
    least_capability=(7, 5),
)


class Sglang(ByTensors):
    def alike_bytes(self, device_bytes: int) -> int | None:
        """Chunks, graphs and the reserve are chosen by the card's memory, in steps."""
        return alike_bytes(device_bytes)

    def alike(self, card: Card) -> Alike:
        """Pages and the layout of sparse latents go by capability."""
        return Alike(self.alike_bytes(card.device_bytes), card.capability)

    def settings(self, workload: Workload) -> dict[str, Setting]:
        """`--mem-fraction-static` follows from all that is to be kept free, which the estimate tells part by part."""
        return super().settings(workload) | {"batched_tokens": server(workload, latent=False).chunk_tokens}

    def format_reasons(self, card: Card, weight_format: str) -> Iterator[Reason]:
        return native_or_unpacked("sglang", card, weight_format, pytorch_unpacks)

    def commands(self, workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> tuple[Command, ...]:
        return (commands.serve(workload, source, hub, fit),)

    def with_draft(self, command: Command, draft: WeightSource, weight_format: str) -> Command:
        return commands.with_draft(command, draft)


ENGINE = Sglang(
    flags={
        "tensor_parallel": "--tp-size",
        "pipeline_parallel": "--pp-size",
        "data_parallel": "--dp-size",
        "attention_data_parallel": "--attn-dp-size",
        "expert_parallel": "--ep-size",
        "batched_tokens": "--chunked-prefill-size",
        "max_seqs": "--max-running-requests",
        "util": "--mem-fraction-static",
        "eager": "--disable-decode-cuda-graph",
        "prefix_caching": "--disable-radix-cache",
        "mtp": "--speculative-num-steps",
    },
    # What activations and graphs may take is part of the estimate already, so only the driver's own share is left.
    allowance=Headroom(1),
    support=SUPPORT,
    shared_block_tokens=1,  # the radix cache shares single tokens where pages hold one (`page_size` on CUDA)
)
