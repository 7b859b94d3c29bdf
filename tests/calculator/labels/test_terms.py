"""No key of the pure packages lacks its sentence, and every sentence takes exactly values that its key has."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from django.utils import translation

from calculator import labels
from calculator.architecture import read_config
from calculator.hardware import Reason, terms
from calculator.labels import errors, hardware, notes, training
from calculator.labels import terms as memory_sentences
from calculator.memory import terms as memory

TABLES: list[tuple[str, Mapping[str, tuple[str, ...]], Mapping[str, object], set[str]]] = [
    ("reasons", terms.REASONS, hardware.REASONS, {"sentence"}),
    ("training terms", terms.TERMS, training.TRAINING_TERMS, set()),
    ("hardware notes", terms.NOTES, hardware.NOTES, set()),
    ("hardware errors", terms.ERRORS, hardware.ERRORS, set()),
    ("memory terms", memory.TERMS, memory_sentences.TERMS, set()),
    ("memory errors", memory.ERRORS, errors.ERRORS, set()),
    ("memory notes", {key: values for key, values in memory.NOTES.items() if key != "assumption"}, notes.NOTES, set()),
]


@pytest.mark.parametrize(("name", "keys", "sentences", "own"), TABLES, ids=[table[0] for table in TABLES])
def test_every_key_has_a_sentence_and_its_values(
    name: str, keys: Mapping[str, tuple[str, ...]], sentences: Mapping[str, object], own: set[str]
) -> None:
    assert set(sentences) == set(keys)
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for key, sentence in sentences.items():
                used = set(re.findall(r"%\((\w+)\)s", str(sentence)))
                assert used <= set(keys[key]) | own, (language, key)


def test_every_word_is_there() -> None:
    assert set(hardware.STATES) == set(terms.STATES)
    assert set(hardware.CLASSES) == set(terms.CLASSES)
    assert set(hardware.BOUNDS) == set(terms.BOUNDS)
    assert set(training.TRAINING_PARTS) == set(terms.TRAINING_PARTS)


def test_a_refused_split_says_what_does_not_divide() -> None:
    values: dict[str, int | str] = {
        "field": "tensor_parallel",
        "error": "not_divisible",
        "name": "num_heads",
        "size": 40,
        "value": 16,
    }
    sentence = labels.reason_text(Reason("split_refused", values, blocks=True))
    assert "40" in sentence
    assert "16" in sentence


def test_sizes_in_reasons_are_gib() -> None:
    reason = Reason("too_large", {"short_bytes": 3 * 2**30, "usable_bytes": 24 * 2**30}, blocks=True)
    assert labels.reason_text(reason) == ("The fullest card is 3.00 GiB short: only 24.0 GiB of it can be used.")


def test_every_assumption_has_a_sentence() -> None:
    config = {
        "model_type": "never-seen",
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 128,
        "vocab_size": 256,
        "max_position_embeddings": 512,
        "quantization_config": {"quant_method": "never-seen"},
    }
    assumed = read_config(config, assume_standard=True).assumptions
    assert "standard_decoder" in assumed
    assert {name.partition(":")[0] for name in assumed} <= set(notes.ASSUMPTIONS)
    assert all(labels.assumption_text(name) for name in assumed)
