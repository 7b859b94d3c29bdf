"""Memory of fine-tuning on one device, part by part, at the moment when most is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from calculator.architecture.shape import Shape, Tensor
from calculator.hardware.activations import (
    HALF,
    Learning,
    backward_bytes,
    layer_tensors,
    square_bytes,
    token_bytes,
)
from calculator.hardware.errors import HardwareError
from calculator.hardware.training import loss, states, weights
from calculator.hardware.training.settings import WIDENED, Settled, Training, settled
from calculator.hardware.training.trained import is_target, trained_sizes
from calculator.memory import Note, Part, Term

MIB = 2**20
CUDA_CONTEXT_BYTES = 300 * MIB  # PyTorch with lazy loading, CUDA 11.7 and later: pytorch/pytorch issue 107667
CUBLAS_BYTES = 64 * MIB  # one handle's workspace, 32 to 64 MiB
MOMENTS = ("loss", "first_layer", "last_layer", "step")
"""When most may be held: at the loss; as the backward pass begins; as it ends, with all gradients; at the step."""


@dataclass(frozen=True, kw_only=True)
class TrainingEstimate:
    """Bytes on one device, part by part (`terms.TRAINING_PARTS`), at `moment`. `host_bytes` lie in RAM meanwhile."""

    training: Settled
    trained_parameters: int
    moment: str
    parts: tuple[Part, ...]
    host_bytes: int
    notes: tuple[Note, ...]

    @property
    def per_device_bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    @property
    def allocated_bytes(self) -> int:
        """What PyTorch's allocator holds of it: all but the CUDA context and libraries."""
        return sum(part.bytes for part in self.parts if part.key != "overhead")

    @property
    def loaded_bytes(self) -> int:
        """Weights and adapters, before the first batch."""
        stored = ("weights_nf4", "weights_nf4_double", "weights_wide", "adapters")
        return sum(term.bytes for part in self.parts for term in part.terms if term.key in stored)


@lru_cache(maxsize=256)
def training_memory(shape: Shape, training: Training) -> TrainingEstimate:
    """What fine-tuning the text model takes on one device.

    Raises `HardwareError` for a program, a method or a number that cannot be.
    """
    settings = settled(training, shape)
    tensors = tuple(shape.tensors_of("text"))
    trained = trained_sizes(tensors, settings)
    if not trained and training.targets is None:  # PEFT asks for them, where its table has none
        settings = replace(settings, targets="all_linear")
        trained = trained_sizes(tensors, settings)
    if not trained:
        raise HardwareError("targets", "nothing_to_train", targets=settings.targets)
    layers, held = _Layers(shape, settings), _Held.of(shape, tensors, trained, settings)
    parts = {moment: _parts(tensors, settings, held, layers, moment) for moment in MOMENTS}
    moment = max(MOMENTS, key=lambda name: sum(part.bytes for part in parts[name]))
    return TrainingEstimate(
        training=settings,
        trained_parameters=sum(trained),
        moment=moment,
        parts=parts[moment],
        host_bytes=layers.offloaded + states.paged_bytes(trained, settings),
        notes=tuple(_notes(shape, tensors, settings, moment)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What is the same at every moment when it is held at all."""

    weights: tuple[Term, ...]
    adapters: tuple[Term, ...]
    gradients: tuple[Term, ...]
    tied_gradients: tuple[Term, ...]
    wide_gradients: tuple[Term, ...]
    optimizer: tuple[Term, ...]
    loss: tuple[Term, ...]

    @classmethod
    def of(cls, shape: Shape, tensors: tuple[Tensor, ...], trained: list[int], settings: Settled) -> _Held:
        return cls(
            weights=tuple(weights.base_weights(tensors, settings)),
            adapters=tuple(states.adapter_weights(trained, settings)),
            gradients=tuple(states.gradients(trained, settings)),
            tied_gradients=tuple(states.tied_gradients(shape, settings)),
            wide_gradients=tuple(states.gradients_widened(trained, settings)),
            optimizer=tuple(states.optimizer(trained, settings)),
            loss=tuple(loss.loss_terms(shape, settings)),
        )


def _parts(
    tensors: tuple[Tensor, ...], settings: Settled, held: _Held, layers: _Layers, moment: str
) -> tuple[Part, ...]:
    """All parts at one moment. Gradients of earlier batches wait where they are accumulated."""
    computing = moment != "step"
    gradients = held.gradients if settings.accumulation > 1 or moment in ("last_layer", "step") else ()
    gradients += {"last_layer": held.tied_gradients, "step": held.wide_gradients}.get(moment, ())
    working = tuple(weights.working_weights(tensors, settings, moment)) if computing else ()
    overhead = Term("cuda_context", {}, CUDA_CONTEXT_BYTES), Term("workspaces", {}, CUBLAS_BYTES)
    return (
        Part(key="weights", terms=held.weights + working),
        Part(key="adapters", terms=held.adapters),
        Part(key="gradients", terms=gradients),
        Part(key="optimizer", terms=held.optimizer),
        Part(key="activations", terms=tuple(layers.terms(moment)) if computing else ()),
        Part(key="logits", terms=held.loss if moment == "loss" else ()),
        Part(key="overhead", terms=overhead),
    )


class _Layers:
    """Activations of all layers, and of the one that holds most."""

    def __init__(self, shape: Shape, settings: Settled) -> None:
        self.shape, self.settings = shape, settings
        by_layer, learning = layer_tensors(shape), learning_of(settings)
        tokens, pairs = settings.tokens, settings.sequences * settings.sequence_tokens**2
        self.kept = [token_bytes(shape, layer, by_layer[layer.index], learning) for layer in shape.layers]
        self.squares = [square_bytes(layer, by_layer[layer.index], learning) for layer in shape.layers]
        self.working = max(backward_bytes(shape, layer, by_layer[layer.index], learning) for layer in shape.layers)
        whole = [tokens * kept + pairs * square for kept, square in zip(self.kept, self.squares, strict=True)]
        self.widest, self.all = max(whole), sum(whole)
        self.checkpoint = HALF * shape.hidden_size * (settings.wide_bytes // HALF) * tokens

    @property
    def offloaded(self) -> int:
        """Unsloth keeps the last layer's checkpoint (unsloth_zoo, gradient_checkpointing.py)."""
        return self.checkpoint * (self.shape.num_layers - 1) if self.settings.checkpointing == "offloaded" else 0

    def terms(self, moment: str) -> Iterator[Term]:
        tokens = self.settings.tokens
        if self.settings.checkpointing == "none":
            if moment == "last_layer":
                yield Term("one_layer", {"tokens": tokens}, self.widest)
            else:
                yield Term("activations", {"tokens": tokens, "layers": self.shape.num_layers}, self.all)
        else:
            yield from self._checkpoints(moment)
            if moment != "loss":
                yield Term("recomputed_layer", {"tokens": tokens}, self.widest)
        if moment != "loss":
            yield Term("layer_gradients", {"tokens": tokens, "per_token": self.working}, tokens * self.working)

    def _checkpoints(self, moment: str) -> Iterator[Term]:
        """The input of every layer (arXiv:2205.05198, section 5). Offloaded: the last one, and two buffers."""
        hidden, layers = self.shape.hidden_size, self.shape.num_layers
        if self.settings.checkpointing == "offloaded":
            yield Term(
                "checkpoint_buffers", {"tokens": self.settings.tokens, "hidden_size": hidden}, 3 * self.checkpoint
            )
        else:
            held = 1 if moment == "last_layer" else layers
            values = {"tokens": self.settings.tokens, "layers": held, "hidden_size": hidden}
            yield Term("checkpoints", values | {"bytes_each": self.settings.wide_bytes}, held * self.checkpoint)


def learning_of(settings: Settled) -> Learning:
    """What of a layer learns, for the accounting of activations."""
    adapters = settings.method != "full"
    return Learning(
        everything=not adapters,
        adapted=lambda tensor: adapters and is_target(tensor, settings.targets),
        copies_input=settings.method == "lora",
        fused=settings.program == "unsloth",
        padded=settings.sequences > 1,
    )


def _notes(shape: Shape, tensors: tuple[Tensor, ...], settings: Settled, moment: str) -> Iterator[Note]:
    yield Note(f"peak_at_{moment}")
    yield Note("training_text_only")
    yield Note("fragmentation_excluded")
    if settings.program in ("trl", "fsdp") and settings.precision == "32bit":
        yield Note("trl_loads_32bit")
    if settings.method == "qlora" and settings.program != "unsloth" and any(tensor.routed for tensor in tensors):
        yield Note("bitsandbytes_skips_experts")
    if shape.native_format in WIDENED and settings.method != "qlora":
        yield Note("checkpoint_widened", {"format": shape.native_format})
    if settings.loss == "chunks":
        yield Note("chunk_depends_on_free")
    if settings.program != "unsloth" and any(tensor.role == "attn_sinks" for tensor in tensors):
        yield Note("sinks_without_kernel")
