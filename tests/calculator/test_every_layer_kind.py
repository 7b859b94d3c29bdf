"""Every kind of layer, asked of all that knows kinds: each answers or refuses it by name, and refuses a made-up one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from calculator.architecture import Shape, mixers
from calculator.architecture.mixers import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    FullAttention,
    IndexedAttention,
    Indexer,
    LatentAttention,
    LinearAttention,
    Mixer,
    Recurrence,
    SharedCompressedAttention,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.hardware import activations, reads
from calculator.labels.names import MIXERS, mixer_text
from calculator.memory import ENGINES, Workload, WorkloadError, estimate
from calculator.memory.activations import widest_layer
from calculator.memory.engines import engines_for, refusal
from calculator.memory.llama_cpp import cache as llama_cpp_cache
from calculator.memory.llama_cpp import state as llama_cpp_state
from calculator.memory.transformers import cache as transformers_cache
from calculator.memory.vllm.layers import layer_specs
from calculator.memory.vllm.serving import Serving
from catalog.models.derived import KINDS, layer_kinds
from tests.calculator.memory import shapes

HEADS = {"num_heads": 4, "num_kv_heads": 2, "head_dim": 32, "value_head_dim": 32}
INDEXER = Indexer(num_heads=2, head_dim=128, top_k=16)
LATENT = {"num_heads": 4, "kv_lora_rank": 64, "qk_nope_head_dim": 32, "qk_rope_head_dim": 32, "value_head_dim": 32}

EXAMPLES: tuple[Mixer, ...] = (
    FullAttention(**HEADS),
    SlidingWindowAttention(**HEADS, window=64),
    ChunkedAttention(**HEADS, chunk=64),
    CrossAttention(**HEADS, encoder_tokens=100),
    IndexedAttention(**HEADS, indexer=INDEXER),
    CompressedAttention(num_heads=4, head_dim=32, window=64, compression=4, indexer=INDEXER),
    SharedCompressedAttention(num_heads=4, head_dim=32, window=64, indexer=INDEXER, span=4, chosen=16),
    LatentAttention(
        num_heads=4, q_lora_rank=None, kv_lora_rank=64, qk_nope_head_dim=32, qk_rope_head_dim=32, value_head_dim=32
    ),
    WindowedLatentAttention(
        num_heads=4,
        q_lora_rank=None,
        kv_lora_rank=64,
        qk_nope_head_dim=32,
        qk_rope_head_dim=32,
        value_head_dim=32,
        window=64,
    ),
    LinearAttention(
        kind="gated_delta",
        num_key_heads=2,
        num_value_heads=4,
        key_head_dim=32,
        value_head_dim=32,
        conv_kernel=4,
        conv_channels=256,
    ),
    StateSpace(version=2, inner_size=256, state_size=16, conv_kernel=4, num_heads=8, head_dim=32, num_groups=1),
    ShortConvolution(conv_kernel=3, conv_channels=128),
    Recurrence(kind="rwkv", state_elements=4_096),
)
kinds = pytest.mark.parametrize("mixer", EXAMPLES, ids=lambda mixer: type(mixer).__name__)
engines = pytest.mark.parametrize("engine", ENGINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telepathy(Mixer):
    """A kind that nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clairvoyance(Attention):
    """Attention to tokens that nobody knows."""


MADE_UP: tuple[Mixer, ...] = (Telepathy(), Clairvoyance(**HEADS))
made_up = pytest.mark.parametrize("mixer", MADE_UP, ids=lambda mixer: type(mixer).__name__)


def made_of(*kinds: Mixer) -> Shape:
    """Of a type that every engine knows, so that nothing but the layer can be what it does not."""
    return shapes.made_of(*kinds, model_type="llama")


def defined(kind: type[Mixer] = Mixer) -> Iterator[type[Mixer]]:
    """Every kind that `calculator.architecture` defines. `Attention` is what several have in common, and no kind."""
    for each in kind.__subclasses__():
        if getattr(mixers, each.__name__, None) is each and each is not Attention:
            yield each
        yield from defined(each)


def test_every_kind_has_its_example_here_and_its_words() -> None:
    found = set(defined())
    assert found == {type(mixer) for mixer in EXAMPLES}
    assert set(KINDS) == found
    assert len(set(KINDS.values())) == len(found)
    assert set(MIXERS) == {kind.__name__ for kind in found}
    for mixer in EXAMPLES:
        assert mixer_text(mixer)
        assert layer_kinds(made_of(mixer).layers) == {KINDS[type(mixer)]: 1}


@engines
@kinds
def test_an_engine_keeps_something_of_every_kind_or_refuses_it(engine: str, mixer: Mixer) -> None:
    try:
        answer = estimate(made_of(mixer), Workload(engine=engine, context_tokens=1_024))
    except WorkloadError as error:
        _names(error, mixer)
    else:
        assert answer.part("kv_cache").bytes + answer.part("state").bytes > 0


@engines
def test_a_refusal_is_kept_for_those_who_ask_which_engines_run_a_model(engine: str) -> None:
    refused = refusal(made_of(MADE_UP[0]), engine)
    assert refused is not None
    _names(refused, MADE_UP[0])
    assert refusal(made_of(EXAMPLES[0]), engine) is None
    assert engine in engines_for(made_of(EXAMPLES[0]))
    assert engines_for(made_of(MADE_UP[0])) == ()


@engines
@kinds
def test_a_step_reads_something_of_every_kind(engine: str, mixer: Mixer) -> None:
    device, host = reads.cache_reads(made_of(mixer), Workload(engine=engine, kv_format="f16"), 1_000)
    assert device > 0
    assert host == 0


@kinds
def test_training_keeps_activations_of_every_kind(mixer: Mixer) -> None:
    shape = made_of(mixer)
    learning = activations.Learning(everything=True)
    # what the two matrices read, output of `up`, and what attention keeps for each of its heads
    kept = 2 * (128 + 256 + 256) + 4 * getattr(mixer, "num_heads", 0) * isinstance(mixer, Attention)
    assert activations.token_bytes(shape, shape.layers[0], shape.tensors[2:], learning) == kept


def asked(engine: str) -> Callable[[Shape], object]:
    return lambda shape: estimate(shape, Workload(engine=engine))


QUESTIONS: dict[str, Callable[[Shape], object]] = {
    **{f"estimate of {engine}": asked(engine) for engine in ENGINES},
    "llama.cpp cells": llama_cpp_cache.rows_by_layer,
    "vLLM layers": lambda shape: layer_specs(shape, Serving("bf16", 1)),
    "transformers cache": lambda shape: transformers_cache.cache_terms(shape, 1_024, 1, 2, (0,) * shape.num_layers, 1),
    "reads": lambda shape: reads.cache_reads(shape, Workload(), 1_000),
    "operations of a token": lambda shape: reads.token_flops(shape, 1_000),
    "operations of a prompt": lambda shape: reads.prompt_flops(shape, 1_000),
}
# Where attention is attention, whatever it sees: it has no state, and its projections say how wide it is.
BESIDE_THE_CACHE: dict[str, Callable[[Shape], object]] = {
    "llama.cpp state": llama_cpp_state.states_by_layer,
    "transformers state": lambda shape: transformers_cache.state_terms(shape, 1, 2, (0,) * shape.num_layers, 1),
    "widest layer": widest_layer,
    "activations": lambda shape: activations.token_bytes(shape, shape.layers[0], (), activations.Learning()),
}


@pytest.mark.parametrize("question", QUESTIONS)
@made_up
def test_a_kind_that_nobody_knows_is_refused_by_name(question: str, mixer: Mixer) -> None:
    with pytest.raises(WorkloadError) as caught:
        QUESTIONS[question](made_of(mixer))
    _names(caught.value, mixer)


@pytest.mark.parametrize("question", BESIDE_THE_CACHE)
def test_so_it_is_beside_the_cache(question: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        BESIDE_THE_CACHE[question](made_of(MADE_UP[0]))
    _names(caught.value, MADE_UP[0])


def _names(error: WorkloadError, mixer: Mixer) -> None:
    assert error.field == "engine"
    assert error.key in ("layer_not_supported", "layer_not_modelled")
    assert error.values == {"layer": type(mixer).__name__}
