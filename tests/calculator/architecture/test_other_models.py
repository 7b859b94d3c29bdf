"""Model types that write no text are named for what they are, as transformers' automatic classes tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from calculator import architecture
from calculator.architecture import ConfigError, read_config
from calculator.architecture.families import FAMILIES
from calculator.architecture.other_files import OTHER_MODELS, other_model
from calculator.architecture.towers import TOWERS
from calculator.labels.errors import CONFIG_FAULTS
from tests.reference.coverage import __main__ as coverage
from tests.reference.coverage.kinds import other_models
from tests.reference.coverage.known import KNOWN

TYPES = KNOWN["transformers"]["types"]


def test_the_list_is_what_the_rule_makes_of_the_collected_types() -> None:
    written = json.loads(Path(architecture.__file__).with_name("other_models.json").read_text(encoding="utf-8"))
    assert written == other_models(TYPES)


@pytest.mark.parametrize(
    ("model_type", "reason"),  # as the documentation of each in transformers begins
    [
        ("bert", "is_text_encoder"),
        ("roberta", "is_text_encoder"),
        ("xlm-roberta", "is_text_encoder"),
        ("deberta-v2", "is_text_encoder"),
        ("modernbert", "is_text_encoder"),
        ("layoutlmv3", "is_text_encoder"),
        ("longt5", "is_encoder_decoder"),
        ("marian", "is_encoder_decoder"),
        ("nougat", "is_encoder_decoder"),
        ("clip", "is_image_text_encoder"),
        ("siglip2", "is_image_text_encoder"),
        ("grounding-dino", "is_image_text_encoder"),
        ("vit", "is_image_model"),
        ("dinov2", "is_image_model"),
        ("detr", "is_image_model"),
        ("sam2", "is_image_model"),
        ("depth_anything", "is_image_model"),
        ("videomae", "is_image_model"),
        ("whisper", "is_speech_model"),
        ("wav2vec2", "is_speech_model"),
        ("vits", "is_speech_model"),
        ("encodec", "is_speech_model"),
        ("timesfm", "is_time_series_model"),
        ("patchtst", "is_time_series_model"),
        ("esm", "is_protein_model"),
        ("pi0", "is_policy"),
        ("qwen2_5_vl_vision", "is_part"),
        ("gemma4_audio", "is_part"),
        ("medusa", "draft_head"),
    ],
)
@pytest.mark.parametrize("assume", [False, True])
def test_a_type_is_named_also_when_a_guess_is_asked_for(model_type: str, reason: str, assume: bool) -> None:
    with pytest.raises(ConfigError) as error:
        read_config({"model_type": model_type, "hidden_size": 768}, assume_standard=assume)
    assert (error.value.key, error.value.reason) == ("model_type", reason)


def test_a_wrapper_around_an_encoder_decoder_is_none_of_a_decoder() -> None:
    with pytest.raises(ConfigError) as error:
        read_config({"model_type": "llava", "text_config": {"model_type": "longt5"}})
    assert (error.value.key, error.value.reason) == ("text_config.model_type", "is_encoder_decoder")


def test_every_reason_has_a_sentence_and_no_type_that_is_read_has_a_reason() -> None:
    assert OTHER_MODELS.keys() <= CONFIG_FAULTS.keys()
    assert not [model_type for model_type in (*FAMILIES, *TOWERS) if other_model(model_type)]


def test_what_is_read_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Counted with transformers 5.24.0, vLLM 0.33.0 and gguf 0.19.0; what is read once stays read."""
    least = {"transformers": 197, "classes of text": 90, "multimodal": 50, "llama.cpp": 43}
    for title, table in coverage.tables():
        read = sum(reason is None for reason in table.values())
        assert read >= next(number for name, number in least.items() if name in title)
        assert set(table.values()) <= set(coverage.WORDS)
    coverage.main()
    printed = capsys.readouterr().out
    assert "encoders of text, named so" in printed
    assert len(TYPES) == 822
