"""A config.json with one odd value gets an answer or a refusal that names what is wrong: no engine stumbles over it."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from calculator.accuracy.references import reference_config
from calculator.architecture import ConfigError, read_config
from calculator.memory import ENGINES, Workload, WorkloadError, estimate

NAMES = ("gemma-4-e4b-it", "qwen3-30b-a3b", "deepseek-v3-2", "gpt-oss-20b", "falcon-h1-7b-instruct")
PLACES = [
    (name, part, key)
    for name in NAMES
    for part, section in {"": reference_config(name), **reference_config(name)}.items()
    if isinstance(section, dict)
    for key in section
]
VALUES: tuple[Any, ...] = (None, 0, -1, 1, 2, 3, 7, 2**20, 2**63, 0.5, True, "", "x", [], [1], [None], {}, {"a": 1})


@example(place=("gemma-4-e4b-it", "text_config", "vocab_size_per_layer_input"), value=1)
@example(place=("gemma-4-e4b-it", "text_config", "vocab_size_per_layer_input"), value=None)
@example(place=("deepseek-v3-2", "rope_parameters", "rope_theta"), value=[])
@given(place=st.sampled_from(PLACES), value=st.sampled_from(VALUES))
@settings(max_examples=150)
def test_an_odd_value_is_computed_or_refused(place: tuple[str, str, str], value: object) -> None:
    name, part, key = place
    config: dict[str, Any] = dict(reference_config(name))
    if part:
        config[part] = {**config[part], key: value}
    else:
        config[key] = value
    try:
        shape = read_config(config)
    except ConfigError:
        return
    for engine in ENGINES:
        try:
            answer = estimate(shape, Workload(engine=engine, context_tokens=4096))
        except WorkloadError:
            continue
        assert answer.total_bytes > 0
