"""Older versions of transformers wrote every setting of `PretrainedConfig` into each part of a file (version 4.31,
`configuration_utils.py`, `PretrainedConfig.__init__`); none of it bears on the shape."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import read_config
from tests.calculator.architecture.test_parameters import lines

SAVED: dict[str, Any] = {
    "_name_or_path": "x",
    "add_cross_attention": False,
    "architectures": None,
    "bad_words_ids": None,
    "begin_suppress_tokens": None,
    "bos_token_id": 1,
    "chunk_size_feed_forward": 0,
    "cross_attention_hidden_size": None,
    "decoder_start_token_id": None,
    "diversity_penalty": 0.0,
    "do_sample": False,
    "early_stopping": False,
    "encoder_no_repeat_ngram_size": 0,
    "eos_token_id": 2,
    "exponential_decay_length_penalty": None,
    "finetuning_task": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
    "is_decoder": False,
    "is_encoder_decoder": False,
    "label2id": {"LABEL_0": 0, "LABEL_1": 1},
    "length_penalty": 1.0,
    "max_length": 20,
    "min_length": 0,
    "no_repeat_ngram_size": 0,
    "num_beam_groups": 1,
    "num_beams": 1,
    "num_return_sequences": 1,
    "output_attentions": False,
    "output_hidden_states": False,
    "output_scores": False,
    "pad_token_id": None,
    "prefix": None,
    "problem_type": None,
    "pruned_heads": {},
    "remove_invalid_values": False,
    "repetition_penalty": 1.0,
    "return_dict": True,
    "return_dict_in_generate": False,
    "sep_token_id": None,
    "suppress_tokens": None,
    "task_specific_params": None,
    "temperature": 1.0,
    "tf_legacy_loss": False,
    "tokenizer_class": None,
    "top_k": 50,
    "top_p": 1.0,
    "torch_dtype": "bfloat16",
    "torchscript": False,
    "transformers_version": "4.31.0",
    "typical_p": 1.0,
    "use_bfloat16": False,
    "use_cache": True,
}


def saved(part: dict[str, Any]) -> dict[str, Any]:
    """As version 4.31 would have written a part and those within."""
    inner = {key: saved(value) for key, value in part.items() if key.endswith("_config") and isinstance(value, dict)}
    return {**SAVED, **part, **inner}


@pytest.mark.parametrize("line", lines("transformers.jsonl"), ids=lambda line: line["model_type"])
def test_every_type_is_read_as_it_was_saved(line: dict[str, Any]) -> None:
    config = saved(line["config"])
    config |= {key: line["config"][key] for key in ("architectures", "id2label") if key in line["config"]}
    assert read_config(config).total_parameters == read_config(line["config"]).total_parameters
