"""Decoders behind an encoder of texts: sizes of published files, and the parameters of their checkpoints
(llmfit 1.1.17, `hf_models.json`, `parameters_raw`)."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.memory import Workload, estimate
from calculator.memory.engines import engines_for, refusal

Config = dict[str, Any]


def bart(width: int, layers: int, **more: Any) -> Config:
    halves = {
        f"{half}_{name}": number
        for half in ("encoder", "decoder")
        for name, number in (("layers", layers), ("attention_heads", width // 64), ("ffn_dim", 4 * width))
    }
    sizes = {"d_model": width, "vocab_size": 50265, "max_position_embeddings": 1024}
    return {"model_type": "bart", "architectures": ["BartForConditionalGeneration"], **sizes, **halves, **more}


def t5(width: int, layers: int, inner: int, **more: Any) -> Config:
    sizes = {"d_model": width, "d_kv": 64, "d_ff": inner, "num_heads": width // 64, "num_layers": layers}
    named = {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "vocab_size": 32128}
    return {**named, **sizes, "n_positions": 512, "relative_attention_num_buckets": 32, **more}


GATED = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
DAVIT: Config = {
    "model_type": "davit",
    "dim_embed": [128, 256, 512, 1024],
    "depths": [1, 1, 9, 1],
    "num_heads": [4, 8, 16, 32],
    "num_groups": [4, 8, 16, 32],
    "patch_size": [7, 3, 3, 3],
    "patch_stride": [4, 2, 2, 2],
    "patch_padding": [3, 1, 1, 1],
    "patch_prenorm": [False, True, True, True],
    "window_size": 12,
    "image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": 50},
    "visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": 100},
    "image_feature_source": ["spatial_avg_pool", "temporal_avg_pool"],
}
FLORENCE: Config = {
    "model_type": "florence2",
    "architectures": ["Florence2ForConditionalGeneration"],
    "projection_dim": 768,
    "text_config": bart(768, 6, model_type="florence2_language", vocab_size=51289),
    "vision_config": DAVIT | {"projection_dim": 768},
}
FLORENCE_TRANSFORMERS = FLORENCE | {
    "text_config": bart(768, 6, vocab_size=51328),
    "vision_config": {"model_type": "florence_vision", "projection_dim": 768, "embed_dim": [128, 256, 512, 1024]},
}
PUBLISHED: dict[str, tuple[Config, int]] = {
    "facebook/bart-base": (bart(768, 6), 139_420_416),
    "memray/bart_wikikp": (bart(1024, 12, vocab_size=50264), 406_290_432),
    "sonoisa/t5-base-japanese": (t5(768, 12, 3072), 222_903_552),
    "shibing624/mengzi-t5-base-chinese-correction": (t5(768, 12, 2048, **GATED), 247_577_856),
    "bigscience/mt0-base": (t5(768, 12, 2048, **GATED, model_type="mt5", vocab_size=250112), 582_401_280),
    "voidful/mbart-large-50-many-to-many-unit": (bart(1024, 12, model_type="mbart", vocab_size=251028), 611_876_864),
    "florence-community/Florence-2-base": (FLORENCE_TRANSFORMERS, 231_546_368 - 100 * 1024),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_checkpoint(name: str) -> None:
    config, published = PUBLISHED[name]
    assert read_config(config).total_parameters == published


def test_florence_s_own_checkpoint_holds_its_buffers() -> None:
    """microsoft/Florence-2-base: a bias of the logits, and what tells 100 frames apart."""
    assert sum(tensor.elements for tensor in read_config(FLORENCE).tensors) == 231_567_705


def test_the_decoder_keeps_what_is_read_and_what_is_written() -> None:
    """`EncoderDecoderCache`: one cache is as long as the text that was read, the other as what is written."""
    answer = estimate(read_config(bart(768, 6)), Workload(engine="transformers", context_tokens=512, kv_format="bf16"))
    assert answer.part("kv_cache").bytes == 6 * 512 * 2 * 768 * 2
    assert "reads_first" in {note.key for note in answer.notes}


def test_the_longest_context_is_both_halves_full() -> None:
    """`max_position_embeddings` and `n_positions` bound each half by itself."""
    assert (read_config(bart(768, 6)).context_tokens, read_config(t5(768, 12, 3072)).context_tokens) == (2048, 1024)


def test_other_engines_say_that_theirs_is_not_modelled() -> None:
    shape = read_config(t5(768, 12, 3072))
    assert engines_for(shape) == ("transformers",)
    assert getattr(refusal(shape, "llama.cpp"), "key", None) == "model_not_modelled"


def test_layers_of_another_order_are_refused() -> None:
    with pytest.raises(ConfigError, match="normalize_before"):
        read_config(bart(768, 6, normalize_before=True))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"depths": [2**20, 1, 9, 1]}, "out_of_range"),
        ({"depths": [1, 1]}, "wrong_length"),
        ({"depths": 3}, "not_a_list"),
    ],
)
def test_stages_of_an_encoder_are_bounded(changed: Config, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        read_config(FLORENCE | {"vision_config": FLORENCE["vision_config"] | changed})
