"""Multi-token prediction: which layers a file holds, and the part of them that runs in a second context.

The converter puts the prediction layers behind the others (`block_count` in `conversion/qwen.py`, `glm.py`), so they
count wherever llama.cpp counts `n_layer_all`: in the quantiser's mixtures and in what `-ngl` leaves in RAM. The first
context neither runs nor caches them; `common_speculative_init_result` (`common/speculative.cpp`) makes a second one
over the same weights (`LLAMA_CONTEXT_TYPE_MTP`), whose cache holds them alone (`create_memory` in
`src/llama-model.cpp`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from calculator.architecture.shape import LatentAttention, Layer, Mixer, Shape, Tensor
from calculator.memory.llama_cpp.batch import slot_count
from calculator.memory.llama_cpp.placement import Placement
from calculator.memory.llama_cpp.support import EXPORTS_PREDICTION, ROLLS_BACK
from calculator.memory.predicting import check_predicts
from calculator.memory.workload import Workload, WorkloadError


def check_prediction(shape: Shape, workload: Workload) -> None:
    """Raises WorkloadError for a model without prediction layers, or whose converter leaves them out."""
    if not workload.mtp:
        return
    check_predicts(shape, workload)
    if shape.model_type not in EXPORTS_PREDICTION:
        raise WorkloadError("mtp", "not_for_model", value=shape.architecture or shape.model_type)


def in_file(shape: Shape, workload: Workload) -> Shape:
    """The model with all the layers of its file: those of prediction behind the others, where they are used."""
    return _with_prediction(shape) if workload.mtp else shape


@lru_cache(maxsize=64)
def _with_prediction(shape: Shape) -> Shape:
    tensors = tuple(tensor._replace(part="text") if tensor.part == "mtp" else tensor for tensor in shape.tensors)
    return replace(shape, layers=shape.layers + _layers(shape, shape.num_layers), tensors=tensors)


@lru_cache(maxsize=64)
def drafting(shape: Shape) -> Shape:
    """The prediction layers alone, between the model's embeddings and its output layer. They attend to the whole
    context, also where the model picks tokens with an indexer (`graph_mtp` in `src/models/deepseek32.cpp`)."""
    return replace(shape, layers=_layers(shape, 0, attends=True), tensors=tuple(_tensors(shape)))


def _layers(shape: Shape, first: int, *, attends: bool = False) -> tuple[Layer, ...]:
    pairs = zip(shape.mtp_mixers, shape.mtp_feed_forwards, strict=True)
    return tuple(
        Layer(index=index, mixers=tuple(map(_without_indexer, mixers)) if attends else mixers, feed_forward=fed)
        for index, (mixers, fed) in enumerate(pairs, first)
    )


def _without_indexer(mixer: Mixer) -> Mixer:
    return replace(mixer, indexer=None) if isinstance(mixer, LatentAttention) else mixer


def _tensors(shape: Shape) -> list[Tensor]:
    shared = [tensor for tensor in shape.tensors_of("text") if tensor.layer is None]
    own = [tensor for tensor in shape.tensors_of("mtp") if not tensor.role.startswith("indexer")]
    return shared + [t._replace(part="text", layer=(t.layer or 0) - shape.num_layers) for t in own]


@lru_cache(maxsize=256)
def split(placement: Placement, num_layers: int) -> tuple[Placement, Placement]:
    """Where the first `num_layers` layers lie, and where those of prediction do, counted from 0."""
    last = max([layers[-1] for layers in (placement.ram, *placement.cards) if layers], default=-1)
    if last < num_layers and placement.experts_in_ram <= num_layers:
        return placement, placement._replace(ram=(), cards=((),) * len(placement.cards), experts_in_ram=0)
    first = placement._replace(
        ram=tuple(layer for layer in placement.ram if layer < num_layers),
        cards=tuple(tuple(layer for layer in layers if layer < num_layers) for layers in placement.cards),
        experts_in_ram=min(placement.experts_in_ram, num_layers),
    )
    behind = placement._replace(
        ram=tuple(layer - num_layers for layer in placement.ram if layer >= num_layers),
        cards=tuple(tuple(layer - num_layers for layer in layers if layer >= num_layers) for layers in placement.cards),
        experts_in_ram=max(placement.experts_in_ram - num_layers, 0),
    )
    return first, behind


def snapshots(shape: Shape, workload: Workload) -> int:
    """Copies of a recurrent state: one for every guess that may have to be taken back (`n_rs_seq` in
    `src/llama-context.cpp`, `llama_memory_recurrent`)."""
    return 1 + workload.mtp if shape.model_type in ROLLS_BACK else 1


def output_rows(workload: Workload) -> int:
    """Rows of logits: every slot's next token and its guesses (`common_speculative_get_output_limits`)."""
    return workload.output_rows or slot_count(workload) * (1 + workload.mtp)
