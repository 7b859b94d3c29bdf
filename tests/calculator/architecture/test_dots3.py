"""dots3-note: sizes of transformers' configuration class (5.24.0), what it builds of them on PyTorch's meta device, and
the number of parameters in the published checkpoint (llmfit 1.1.17, `hf_models.json`, `parameters_raw`)."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.architecture.shape import LatentAttention, WindowedLatentAttention
from calculator.hardware.reads import seen
from calculator.memory import Workload, WorkloadError, estimate
from calculator.memory.engines import engines_for
from tests.calculator.memory.shapes import catalogued_config

Config = dict[str, Any]
DOTS = catalogued_config("dotsstudio/dots3-note-prev")


def changed(**values: object) -> Config:
    return DOTS | {"text_config": DOTS["text_config"] | values}


def test_what_transformers_builds() -> None:
    shape = read_config(DOTS)
    parts = {
        name: sum(t.elements for t in shape.tensors_of(name) if t.kind != "buffer") for name in ("vision", "audio")
    }
    assert parts == {"vision": 6_871_277_312, "audio": 886_199_680}
    assert shape.total_parameters == 287_309_195_008


def test_the_checkpoint_with_its_prediction_layer() -> None:
    """Routers' corrections are in it; the layer has a window, a dense feed-forward and an embedding of its own."""
    shape = read_config(changed(num_nextn_predict_layers=1))
    assert sum(tensor.elements for tensor in shape.tensors) == 288_443_400_864
    assert isinstance(shape.mtp_mixers[0][0], WindowedLatentAttention)


def test_a_window_keeps_its_latents() -> None:
    """`Dots3NoteTextAttention.forward` hands latent and rotary key to the cache, which keeps 512 of them in layers of
    `sliding_attention`: 33 of 1,024 + 64 numbers; 13 keep all of 512 + 64 and an indexer's key of 128."""
    shape = read_config(DOTS)
    held = estimate(shape, Workload(engine="transformers", context_tokens=131072, kv_format="bf16")).part("kv_cache")
    assert held.bytes == 2 * (13 * 131072 * (512 + 64 + 128) + 33 * 512 * (1024 + 64))
    (windowed,) = {m for layer in shape.layers for m in layer.mixers if isinstance(m, WindowedLatentAttention)}
    assert (windowed.window, seen(windowed, 100), seen(windowed, 4096)) == (512, 100, 512)


def test_which_layers_have_a_window() -> None:
    """`Dots3NoteTextConfig.__post_init__`: the first two layers and every fourth see all; "full" is an old word for an
    indexer's layers; with `use_dsa` false none has one."""
    listed = read_config(DOTS)
    bare = read_config(changed(layer_types=None))
    old = ["full_attention" if kind == "indexed_attention" else kind for kind in DOTS["text_config"]["layer_types"]]
    kinds = [layer.mixers for layer in listed.layers]
    assert [layer.mixers for layer in bare.layers] == kinds
    assert [layer.mixers for layer in read_config(changed(layer_types=old)).layers] == kinds
    plain = read_config(changed(use_dsa=False)).layers[0].mixers[0]
    assert isinstance(plain, LatentAttention)
    assert plain.indexer is None


def test_engines_that_keep_windows_otherwise_say_so() -> None:
    """vLLM 0.33.0 pads the other layers' latents to as wide as these (`physical_head_size`), SGLang has two pools."""
    assert engines_for(read_config(DOTS)) == ("transformers",)
    named = read_config(DOTS | {"architectures": ["Dots3NoteForCausalLM"]})
    for engine in ("vllm", "sglang"):
        with pytest.raises(WorkloadError, match="layer_not_modelled"):
            estimate(named, Workload(engine=engine, context_tokens=8192))
    for engine in ("llama.cpp", "mlx"):
        with pytest.raises(WorkloadError):
            estimate(named, Workload(engine=engine, context_tokens=8192))


@pytest.mark.parametrize(
    ("config", "key", "reason"),
    [
        (changed(layer_types=["mamba"] * 46), "text_config.layer_types", "unknown_layer_kind"),
        (changed(mlp_layer_types=["mamba"] * 46), "text_config.mlp_layer_types", "unknown_layer_kind"),
        (DOTS | {"vision_config": {"pyramid_num_routed": [4]}}, "vision_config.pyramid_num_routed", "wrong_length"),
        (
            DOTS | {"vision_config": {"pyramid_num_routed": [2**40] * 42}},
            "vision_config.pyramid_num_routed",
            "out_of_range",
        ),
        (changed(swa_kv_lora_rank=2**40), "text_config.swa_kv_lora_rank", "out_of_range"),
    ],
)
def test_what_cannot_be_is_a_fault(config: Config, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(config)
    assert (raised.value.key, raised.value.reason) == (key, reason)
