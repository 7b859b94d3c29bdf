"""What is asked of the memory model, and what it answers. Plain values: labels belong to the web layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple, Self

DEFAULT_ENGINE = "llama.cpp"
"""What is asked where a link or a command names no engine; it runs on most cards."""

DEFAULT_CONTEXT_TOKENS = 8192


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One way to run a model. `None` asks for the engine's own default for this model.

    `context_tokens` is the length of one sequence, `sequences` how many run at once. llama.cpp's `slots` go before
    `sequences`: a number means the same, "auto" four that share one cache of `context_tokens`.
    """

    engine: str = DEFAULT_ENGINE
    weight_format: str | None = None
    kv_format: str | None = None
    kv_v_format: str | None = None  # values stored apart from keys; None: like `kv_format`
    context_tokens: int = DEFAULT_CONTEXT_TOKENS
    sequences: int = 1
    importance_matrix: bool = False  # llama.cpp: the file was made with one (`llama-quantize --imatrix`)
    file_bytes: int | None = None  # llama.cpp: size of the reader's own file; None: what `weight_format` comes to
    vision: bool = False
    micro_batch: int = 512
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    data_parallel: int = 1  # copies of the model, each with a cache of its own; in vLLM they share their experts
    attention_data_parallel: bool = False  # those copies are of attention alone, and lie on the ranks of one model
    expert_parallel: bool = False  # experts lie whole on ranks, instead of a slice of each on every rank
    batched_tokens: int | None = None  # vLLM `--max-num-batched-tokens`; None: the engine's default
    max_seqs: int | None = None  # vLLM `--max-num-seqs`; None: the engine's default
    util: float | None = None  # vLLM `--gpu-memory-utilization`, a fraction; None: the engine's default
    eager: bool = False  # vLLM `--enforce-eager`: no CUDA graphs
    prefix_caching: bool = True  # False: vLLM `--disable-prefix-caching`
    mtp: int = 0  # tokens that the model's own multi-token prediction guesses ahead
    card_bytes: int | None = None  # memory of one card, where known: vLLM reserves a fraction of it
    capability: tuple[int, int] | None = None  # CUDA compute capability of the card, where known: (9, 0)
    card_name: str | None = None  # as its driver says it, where known: vLLM asks it for "a100"
    multiprocessors: int | None = None  # of the card, where known: a CUDA context grows with them
    back_end: str | None = None  # what llama.cpp runs on, where not CUDA's kernels: "metal", "vulkan", "cpu", "other"
    gpu_layers: int | None = None  # llama.cpp `-ngl`: the last so many of blocks + output layer; None: all
    cpu_expert_layers: int = 0  # llama.cpp `--n-cpu-moe`: experts of the first so many layers stay in RAM
    slots: int | str | None = None  # llama.cpp `-np`; "auto": left out, which is 4 with `kv_unified`; None: `sequences`
    kv_unified: bool = False  # llama.cpp `--kv-unified`: all slots share one cache of `context_tokens`
    batch: int | None = None  # llama.cpp `-b`: tokens handed over at once, at least those of a micro-batch
    flash_attention: bool | None = None  # llama.cpp `-fa`; None: wherever the card can
    output_rows: int | None = None  # llama.cpp: rows of logits that a graph may have; None: the server's one per slot
    swa_full: bool = False  # llama.cpp `--swa-full`: windowed layers keep the whole context
    tensor_split: tuple[float, ...] | None = None  # llama.cpp `-ts`: a share of the layers for each card; None: equal
    draft_kv_format: str | None = None  # llama.cpp `-ctkd`: keys of the context that guesses ahead; None: the default
    draft_kv_v_format: str | None = None  # llama.cpp `-ctvd`: its values
    mmproj_in_ram: bool = False  # llama.cpp `--no-mmproj-offload`: the image encoder runs on the CPU

    def but(self, **changes: object) -> Self:
        """The same with `changes`: `dataclasses.replace` in a fraction of its time. Raises TypeError like it."""
        other = object.__new__(type(self))
        values = {**self.__dict__, **changes}  # at once: a mapping that grows is twice as large, and thousands are kept
        values.pop("_hash", None)
        if len(values) > NUM_FIELDS:
            unknown = values.keys() - self.__dataclass_fields__.keys()
            raise TypeError(f"a workload has no {', '.join(sorted(unknown))}")
        object.__setattr__(other, "__dict__", values)
        return other

    def in_format(self, weight_format: str | None) -> Self:
        """The same with weights in another format, which the size of a reader's own file says nothing about."""
        file_bytes = self.file_bytes if weight_format == self.weight_format else None
        return self.but(weight_format=weight_format, file_bytes=file_bytes)

    def __eq__(self, other: object) -> bool:
        """As a dataclass says it, in a third of the time: both hold their hash once they were asked for it."""
        if other.__class__ is not self.__class__:
            return NotImplemented
        mine, others = self.__dict__, other.__dict__
        return mine == others or (hash(self) == hash(other) and mine == others)

    def __hash__(self) -> int:
        """Computed once: caches ask for it again and again. Values stand in the order of the fields, in copies too."""
        values = self.__dict__
        try:
            return values["_hash"]
        except KeyError:
            known = values["_hash"] = hash(tuple(values.values()))
            return known

    @property
    def said(self) -> tuple[tuple[str, object], ...]:
        """All that differs from what is asked where nothing is: names a workload in other processes, too, and makes it
        by `UNASKED.but`."""
        unasked = vars(UNASKED)
        return tuple([item for item in vars(self).items() if item[0] != "_hash" and item[1] != unasked[item[0]]])

    def unsplit(self) -> Self:
        """The same on one device, for an engine to split in its own way."""
        return self.but(**{name: UNSET_KNOBS[name] for name in SPLITS})

    @property
    def replicas(self) -> int:
        """Copies of the whole model, each on ranks of its own."""
        return 1 if self.attention_data_parallel else self.data_parallel

    @property
    def attention_ranks(self) -> int:
        """The ranks that attention is split over."""
        return self.tensor_parallel // (self.data_parallel // self.replicas)

    @property
    def stages(self) -> int:
        """Cards one behind the other: as many as `tensor_split` has shares, where nothing else says how many."""
        return max(self.pipeline_parallel, len(self.tensor_split or ()))

    @property
    def devices(self) -> int:
        """As many as `SPLITS` say."""
        return self.tensor_parallel * self.stages * self.replicas


NUM_FIELDS = len(fields(Workload))

UNASKED = Workload()
"""What is asked where nothing is; `but` makes another of it sooner than a call of the class does."""

SPLITS = ("tensor_parallel", "pipeline_parallel", "data_parallel", "tensor_split")
"""Fields that spread a model over devices: all that `Workload.devices` counts."""

DRAFT_FORMATS = ("draft_kv_format", "draft_kv_v_format")
"""Formats of the cache of the layers that guess ahead, which attend like the others."""

COMMON = frozenset(
    {
        *("engine", "weight_format", "kv_format", "kv_v_format", "context_tokens", "sequences", "vision"),
        *("card_bytes", "capability", "card_name", "multiprocessors", "back_end"),
    }
)
"""Fields that every engine answers, if only by refusing a value."""

UNSET_KNOBS: Mapping[str, object] = {
    field.name: field.default for field in fields(Workload) if field.name not in COMMON
}
"""All other fields, each a knob of some engines, with the value that means "not turned"."""


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a part: a formula's key, the model's values in it, and its bytes.

    `range_bytes` are the least and the most, where it was measured rather than derived.
    """

    key: str
    values: Mapping[str, int | str]
    bytes: int
    range_bytes: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of memory (`weights`, `kv_cache`, `state`, `compute`, `overhead`, `vision`) and why it is that much.

    `bytes` is the sum of its terms; `compute` terms may be a maximum, then the largest is the only one listed.
    """

    key: str
    terms: tuple[Term, ...] = ()

    @property
    def bytes(self) -> int:
        return sum([term.bytes for term in self.terms])


@dataclass(frozen=True, slots=True)
class Note:
    """An assumption or a limit a reader must see beside the number."""

    key: str
    values: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Bytes, part by part. `parts` lie in the accelerators' memory, `host` in RAM.

    `file_bytes` is the tensor data of the whole text model in this format. With tensor or pipeline parallelism
    `parts` is the sum over all cards and `per_card_bytes` the largest share of one. `outside_bytes` (the least, as
    counted, the most) is what of a card's overhead a server does not count in the memory it is told to take.
    """

    workload: Workload  # with every default resolved
    total_parameters: int
    active_parameters: int
    file_bytes: int
    parts: tuple[Part, ...]  # always all six, in the order weights, kv_cache, state, compute, overhead, vision
    host: tuple[Part, ...]  # weights, compute
    per_card_bytes: int
    cards: tuple[Mapping[str, int], ...] = ()  # bytes of each part on every card; empty where one card holds `parts`
    overhead_range_bytes: tuple[int, int] | None = None  # what the overhead of one card may be, least and most
    overhead_ranges: tuple[tuple[int, int] | None, ...] = ()  # of each card, where they are of several kinds
    outside_bytes: tuple[int, int, int] = (0, 0, 0)
    notes: tuple[Note, ...] = ()
    reserved_bytes: int | None = (
        None  # what a server takes of all cards at start, needed or not (vLLM; needs `card_bytes`)
    )

    @property
    def per_card_range_bytes(self) -> tuple[int, int] | None:
        """The least and the most on the fullest card, where the overhead was measured."""
        if self.overhead_range_bytes is None:
            return None
        without = self.per_card_bytes - max(self.by_card, key=lambda card: sum(card.values()))["overhead"]
        least, most = self.overhead_range_bytes
        return without + least, without + most

    @property
    def total_bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def part(self, key: str) -> Part:
        return next(part for part in self.parts if part.key == key)

    @property
    def by_card(self) -> tuple[Mapping[str, int], ...]:
        """Bytes of each part, card by card."""
        return self.cards or ({part.key: part.bytes for part in self.parts},)


class InFormat(NamedTuple):
    """Of an estimate in one weight format: what the fullest card needs, at least, as counted and at the most, what all
    cards hold together, and the tensor data of the file."""

    weight_format: str
    fullest: tuple[int, int, int]
    total_bytes: int
    file_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a server makes of `available_bytes` for its cache on each rank.

    `blocks` of `block_bytes` each; one request of the whole context takes `request_bytes` of them. `tokens` is what the
    server prints as the size of its cache, `concurrency` how many such requests it holds at once.
    """

    available_bytes: int
    block_bytes: int
    blocks: int
    tokens: int
    concurrency: float
    request_bytes: int
    max_requests: int | None = None  # what the server runs at once at most, where it prints that


class WorkloadError(ValueError):
    """A workload that cannot be: `field` is the `Workload` attribute at fault, `key` why, `values` fill its message."""

    def __init__(self, field: str, key: str, **values: object) -> None:
        self.field, self.key, self.values = field, key, values
        super().__init__(f"{field}: {key} {values}")
