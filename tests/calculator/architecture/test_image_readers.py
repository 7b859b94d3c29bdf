"""Decoders behind an encoder of images: sizes of published files, and the parameters of their checkpoints
(llmfit 1.1.17, `hf_models.json`, `parameters_raw`), or what transformers 5.24.0 builds of such sizes."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import ConfigError, read_config
from calculator.memory import Workload, estimate
from calculator.memory.engines import engines_for

Config = dict[str, Any]


def both(encoder: Config, decoder: Config) -> Config:
    named = {"model_type": "vision-encoder-decoder", "architectures": ["VisionEncoderDecoderModel"]}
    return {**named, "encoder": encoder, "decoder": decoder, "is_encoder_decoder": True, "tie_word_embeddings": False}


def swin(model_type: str, image_size: object, window: int, depths: list[int]) -> Config:
    sizes = {"image_size": image_size, "patch_size": 4, "embed_dim": 128, "window_size": window, "mlp_ratio": 4.0}
    return {"model_type": model_type, "depths": depths, "num_heads": [4, 8, 16, 32], "hidden_size": 1024, **sizes}


def vit(model_type: str, width: int, layers: int, **more: Any) -> Config:
    sizes = {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers, "patch_size": 16}
    return {"model_type": model_type, "num_attention_heads": width // 64, **sizes, "image_size": 384, **more}


def mbart(rows: int, vocabulary: int) -> Config:
    sizes = {"d_model": 1024, "decoder_layers": 4, "decoder_attention_heads": 16, "decoder_ffn_dim": 4096}
    kept = {"encoder_layers": 12, "encoder_attention_heads": 16, "encoder_ffn_dim": 4096, "scale_embedding": True}
    table = {"vocab_size": vocabulary, "max_position_embeddings": rows, "add_final_layer_norm": True}
    return {"model_type": "mbart", **sizes, **kept, **table, "is_decoder": True, "add_cross_attention": True}


def trocr(width: int, layers: int, seen: int, **more: Any) -> Config:
    sizes = {"d_model": width, "decoder_layers": layers, "decoder_ffn_dim": 4 * width, "vocab_size": 50265}
    heads = {"decoder_attention_heads": 16 if width == 1024 else 8, "cross_attention_hidden_size": seen}
    return {"model_type": "trocr", **sizes, **heads, "max_position_embeddings": 512, "is_decoder": True, **more}


def text(model_type: str, **more: Any) -> Config:
    sizes = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
    return {"model_type": model_type, **sizes, "add_cross_attention": True, "is_decoder": True, **more}


DONUT = swin("donut-swin", [2560, 1920], 10, [2, 2, 14, 2])
CORD = swin("donut-swin", [1280, 960], 10, [2, 2, 14, 2])
INDEX = 20 * 100 * 100  # where a window's distances stand in their table, of each layer: kept in these files
VIT = vit("vit", 768, 12, qkv_bias=False)
BERT = text("bert", vocab_size=30522, max_position_embeddings=512, type_vocab_size=2)
GPT2: Config = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024}
PUBLISHED: dict[str, tuple[Config, int]] = {
    "sarahcnj/donut-base-sroie": (both(DONUT, mbart(1536, 57528)), 202_055_096 - INDEX),
    "nielsr/donut-base-finetuned-cord-v2": (both(CORD, mbart(768, 57580)), 201_321_912 - INDEX),
    "tjoab/latex_finetuned": (both(VIT, trocr(1024, 12, 768)), 333_921_792),
    "kilia/kz_plates_ocr": (
        both(vit("deit", 384, 12), trocr(256, 6, 384, vocab_size=64044, tie_word_embeddings=False)),
        61_596_672,
    ),
    "Gowtham04/audio_decription_for_video": (both(vit("vit", 768, 12, image_size=224), BERT), 224_270_394),
    # These four by transformers: Swin's encoder ends with a norm, and RoBERTa's rows count from the third.
    "swin and gpt2": (
        both(
            swin("swin", 224, 7, [2, 2, 18, 2]),
            GPT2 | {"n_embd": 1024, "n_layer": 24, "n_head": 16} | {"vocab_size": 50257, "add_cross_attention": True},
        ),
        542_377_144,
    ),
    "vit and gpt2": (both(vit("vit", 768, 12, image_size=224), GPT2 | {"vocab_size": 50257}), 239_195_904),
    "swin and bert": (both(swin("swin", 224, 7, [2, 2, 18, 2]), BERT), 225_411_570),
    "vit and roberta": (
        both(
            vit("vit", 768, 12, image_size=224),
            text("roberta", vocab_size=50265, max_position_embeddings=514, type_vocab_size=1),
        ),
        239_453_529,
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_checkpoint(name: str) -> None:
    config, published = PUBLISHED[name]
    assert read_config(config).total_parameters == published


def test_a_layer_keeps_the_image_however_little_is_written() -> None:
    """A page of 2,560 x 1,920 becomes 80 x 60 positions, 32 pixels each way (`DonutSwinModel`)."""
    held = estimate(
        read_config(both(DONUT, mbart(1536, 57528))),
        Workload(engine="transformers", context_tokens=100, kv_format="bf16"),
    )
    assert held.part("kv_cache").bytes == 4 * (100 + 80 * 60) * 2 * 1024 * 2
    assert [note.values for note in held.notes if note.key == "sees_first"] == [{"tokens": 4800}]


def test_only_transformers_runs_it() -> None:
    assert engines_for(read_config(PUBLISHED["tjoab/latex_finetuned"][0])) == ("transformers",)


@pytest.mark.parametrize(
    ("config", "key", "reason"),
    [
        (both({"model_type": "cvt"}, BERT), "encoder.model_type", "unknown_model_type"),
        (both(VIT, {"model_type": "t5"}), "decoder.model_type", "unknown_model_type"),
        ({"model_type": "vision-encoder-decoder", "decoder": BERT}, "encoder", "missing"),
        (both(DONUT | {"depths": [2, 2]}, BERT), "encoder.depths", "wrong_length"),
        (both(DONUT | {"depths": [2**20] * 4}, BERT), "encoder.depths", "out_of_range"),
        (both(DONUT | {"image_size": [1, 2, 3]}, BERT), "encoder.image_size", "wrong_length"),
        ({"model_type": "blip", "text_config": {}}, "vision_config", "missing"),
    ],
)
def test_what_is_not_read_is_named(config: Config, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(config)
    assert (raised.value.faults[0].key, raised.value.faults[0].reason) == (key, reason)


@pytest.mark.parametrize("heads", [3, 65])
def test_heads_that_do_not_divide_are_named(heads: int) -> None:
    with pytest.raises(ConfigError, match="does_not_divide"):
        read_config(both(VIT, trocr(64, 2, 768, decoder_attention_heads=heads)))
