"""llama.cpp on cards, and Ollama, which is a way to run it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from calculator.architecture.shape import Shape
from calculator.hardware import headroom
from calculator.hardware.cards import Card
from calculator.hardware.command import Command, WeightSource
from calculator.hardware.engines.base import Alike, HardwareEngine, Left, Setting, Sizes
from calculator.hardware.engines.llama_cpp import cann, llama_server, ollama, weights
from calculator.hardware.engines.llama_cpp.offload import least_offload
from calculator.hardware.fit import Fit
from calculator.hardware.multiprocessors import multiprocessors
from calculator.hardware.rates import Lanes, Rate, sixteen_bit
from calculator.hardware.reason import Reason
from calculator.hardware.splits import by_layers, layer_reasons
from calculator.hardware.support import Support
from calculator.hardware.weight_bytes import WeightBytes
from calculator.memory import Estimate, Workload
from calculator.memory.cuda_context import alike_bytes
from calculator.memory.llama_cpp import at_rest_bytes, by_format, fullest_bytes, kept_bytes, whole_cells
from calculator.memory.llama_cpp.batch import BATCH
from calculator.memory.llama_cpp.overhead import overhead
from calculator.memory.llama_cpp.placement import written
from calculator.memory.llama_cpp.presets import USUAL

SUPPORT = Support(
    # docs/build.md: CUDA, HIP, Vulkan, SYCL, Metal, MUSA, CANN
    own=frozenset({"nvidia", "amd", "intel", "apple", "moore-threads", "huawei"}),
    refused=frozenset({"google", "aws"}),
)

BACK_ENDS = {"nvidia": None, "amd": None, "moore-threads": None, "apple": "metal", "intel": "vulkan"}
"""None: llama.cpp's CUDA kernels, which HIP and MUSA compile for AMD's and Moore Threads' cards."""


class LlamaCpp(HardwareEngine):
    def alike_bytes(self, device_bytes: int) -> int | None:
        """A CUDA context grows with the card, of which its memory is a measure."""
        return alike_bytes(device_bytes)

    def alike(self, card: Card) -> Alike:
        """Its multiprocessors where they are known, else its memory."""
        found = multiprocessors(card.name) if card.vendor == "nvidia" else None
        memory = self.alike_bytes(card.device_bytes) if found is None else None
        return Alike(memory, multiprocessors=found, back_end=BACK_ENDS.get(card.vendor, "other"))

    def beside(self, asked: Alike, workload: Workload) -> tuple[Alike, Sizes]:
        """The model lies the same on every card of a back end; only the overhead is a card's own."""
        works = workload.gpu_layers != 0
        here = overhead(asked.card_bytes, asked.multiprocessors, asked.back_end, works=works)
        any_card = overhead(None, None, asked.back_end, works=works)
        more = here.least - any_card.least, here.bytes - any_card.bytes, here.most - any_card.most
        return Alike(back_end=asked.back_end), more

    def rounded(self, workload: Workload) -> Workload:
        return workload.but(context_tokens=whole_cells(workload))

    def at_least_bytes(self, shape: Shape, workload: Workload) -> int:
        """Without the compute buffers, for which the graph is followed on every number of cards."""
        return kept_bytes(shape, workload)

    def format_reasons(self, card: Card, weight_format: str) -> Iterable[Reason]:
        """llama.cpp's own kernels unpack every format; the back end for Huawei's cards has few."""
        return cann.reasons("llama.cpp", card, weight_format) if card.vendor == cann.VENDOR else ()

    def settings(self, workload: Workload) -> dict[str, Setting]:
        """Left open, flash attention is on wherever the card has a kernel for it; slots are the sequences asked for."""
        alone: dict[str, Setting] = {"gpu_layers": "all", "flash_attention": "auto"}
        said = super().settings(workload)
        if workload.tensor_split:
            said["tensor_split"] = written(workload.tensor_split)
        return alone | {"slots": workload.sequences, "batch": BATCH} | said

    def splits(self, devices: int) -> Iterable[tuple[int, int]]:
        return by_layers(devices)  # `--split-mode layer`

    def shares(self, devices: Sequence[Card]) -> tuple[float, ...] | None:
        """`load_tensors` (`src/llama-model.cpp`): by what is free of each once it has its context, here in MiB."""
        return tuple(float(self._free(card) // 2**20) for card in devices)

    def _free(self, card: Card) -> int:
        asked = self.alike(card)
        return card.device_bytes - overhead(asked.card_bytes, asked.multiprocessors, asked.back_end).context

    def split_reasons(self, shape: Shape, workload: Workload) -> Iterator[Reason]:
        return layer_reasons(workload)

    def weight_bytes(self, shape: Shape, estimate: Estimate) -> WeightBytes:
        return weights.weight_bytes(shape, estimate.workload)

    def lanes(self, workload: Workload, devices: int) -> Lanes:
        """One sequence passes one card after the other; pieces of a prompt follow each other through all of them."""
        return Lanes(1, devices)

    def rate(self, card: Card, weight_format: str) -> Rate:
        """Quantised weights are multiplied in 8-bit integers (ggml-cuda/mmq.cu)."""
        if not weight_format.upper().endswith(("F16", "F32")) and card.int8_ops:
            return max(Rate(card.int8_ops, "int8"), Rate(card.fp16_flops or 0, "fp16"))
        return sixteen_bit(card)

    def least_offload(self, shape: Shape, workload: Workload, left: Left, at_most: Left | None) -> Workload | None:
        return least_offload(shape, workload, left, at_most)

    def commands(self, workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> tuple[Command, ...]:
        return (llama_server.command(workload, source, hub), *ollama.commands(workload, source, hub, fit))

    def with_draft(self, command: Command, draft: WeightSource, weight_format: str) -> Command:
        program = llama_server if command.key == llama_server.KEY else ollama
        return program.with_draft(command, draft, weight_format)


ENGINE = LlamaCpp(
    flags={
        "gpu_layers": "--gpu-layers",
        "cpu_expert_layers": "--n-cpu-moe",
        "importance_matrix": "--imatrix",
        "file_bytes": "",  # the file itself
        "slots": "--parallel",
        "mtp": "--spec-draft-n-max",
        "batch": "--batch-size",
        "micro_batch": "--ubatch-size",
        "flash_attention": "--flash-attn",
        "swa_full": "--swa-full",
        "tensor_split": "--tensor-split",
        "draft_kv_format": "--cache-type-k-draft",
        "draft_kv_v_format": "--cache-type-v-draft",
        "mmproj_in_ram": "--no-mmproj-offload",
    },
    allowance=headroom.NONE,  # the estimate has an interval
    support=SUPPORT,
    shared_block_tokens=None,  # its slots hold every sequence in full
    fullest_bytes=fullest_bytes,
    at_rest_bytes=at_rest_bytes,
    by_format=by_format,
    passed_bytes=weights.weight_bytes,
    usual_format=USUAL,
)
