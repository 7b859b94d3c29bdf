"""Hugging Face transformers on cards (version 5.24): `device_map="auto"` and `generate`."""

from __future__ import annotations

from collections.abc import Iterator

from calculator.hardware import headroom
from calculator.hardware.cards import Card
from calculator.hardware.command import Command, WeightSource
from calculator.hardware.engines.base import Alike, Sizes
from calculator.hardware.engines.spread import ByLayers
from calculator.hardware.engines.transformers import snippet
from calculator.hardware.fit import Fit
from calculator.hardware.multiprocessors import multiprocessors
from calculator.hardware.reason import Reason
from calculator.hardware.support import Support, native_or_unpacked, pytorch_unpacks
from calculator.memory import Workload
from calculator.memory.cuda_context import alike_bytes
from calculator.memory.transformers.overhead import overhead

SUPPORT = Support(
    own=frozenset({"nvidia", "amd", "intel", "apple"}),
    # PyTorch's PrivateUse1 back ends
    plugins={"huawei": "torch_npu", "moore-threads": "torch_musa", "cambricon": "torch_mlu"},
)


class Transformers(ByLayers):
    def alike_bytes(self, device_bytes: int) -> int | None:
        """A CUDA context grows with the card, of which its memory is a measure."""
        return alike_bytes(device_bytes)

    def alike(self, card: Card) -> Alike:
        """Its multiprocessors where they are known, else its memory."""
        found = multiprocessors(card.name) if card.vendor == "nvidia" else None
        return Alike(self.alike_bytes(card.device_bytes) if found is None else None, multiprocessors=found)

    def beside(self, asked: Alike, workload: Workload) -> tuple[Alike, Sizes]:
        """The model lies the same on every card; only the overhead is a card's own."""
        here, any_card = overhead(asked.card_bytes, asked.multiprocessors), overhead(None, None)
        return Alike(), (here.least - any_card.least, here.bytes - any_card.bytes, here.most - any_card.most)

    def format_reasons(self, card: Card, weight_format: str) -> Iterator[Reason]:
        return native_or_unpacked("transformers", card, weight_format, _unpacks)

    def commands(self, workload: Workload, source: WeightSource, hub: str, fit: Fit | None) -> tuple[Command, ...]:
        return (snippet.generate(workload, source, hub),) if source.auto_class else ()

    def with_draft(self, command: Command, draft: WeightSource, weight_format: str) -> Command:
        return snippet.with_draft(command, draft)


def _unpacks(card: Card, family: str) -> bool:
    if card.vendor == "nvidia" and family == "FP8":
        return False  # quantizers/quantizer_finegrained_fp8.py asks for compute capability 8.9
    return pytorch_unpacks(card, family)


ENGINE = Transformers(flags={}, allowance=headroom.NONE, support=SUPPORT, shared_block_tokens=None)
