"""The data of this repository."""

from __future__ import annotations

import re
from typing import Any

import pytest

from calculator.architecture import Shape, read_config
from calculator.figures_in_text import FIGURE
from catalog.source import SHIPPED, SourceCatalogue, load
from tests.catalog.form import faults
from tests.catalog.source.active import wrong_counts
from tests.catalog.source.engines_in_text import engines_without_code, in_another_format, recommended


@pytest.fixture(scope="module")
def shipped() -> SourceCatalogue:
    return load(SHIPPED)


def test_everything_is_there(shipped: SourceCatalogue) -> None:
    assert len(shipped.organizations) >= 89
    assert len(shipped.models) >= 634
    assert len(shipped.benchmarks) >= 99
    assert len(shipped.accelerators) >= 269
    assert len({score.model for score in shipped.scores}) >= 450


def test_every_fact_names_its_source(shipped: SourceCatalogue) -> None:
    assert shipped.unsourced == ()


def records(shipped: SourceCatalogue) -> tuple[Any, ...]:
    """All that say something in both languages."""
    return (
        *shipped.models,
        *shipped.families,
        *shipped.benchmarks,
        *shipped.licences,
        *shipped.organizations,
        *shipped.accelerators,
    )


def test_what_one_language_says_the_other_says_too(shipped: SourceCatalogue) -> None:
    for record in records(shipped):
        for name in type(record).model_fields:
            if name.endswith("_zh_hans") and name != "name_zh_hans":
                english = getattr(record, name.removesuffix("_zh_hans") + "_en")
                assert bool(getattr(record, name)) == bool(english), (record.slug, name)


def test_good_form_in_both_languages(shipped: SourceCatalogue) -> None:
    for record in records(shipped):
        for name in type(record).model_fields:
            language = next((suffix for suffix in ("zh_hans", "en") if name.endswith(f"_{suffix}")), None)
            value = getattr(record, name)
            for text in (value if isinstance(value, list) else [value]) if language else ():
                assert not faults(text, str(language)), (record.slug, name, text)


def test_an_active_count_in_a_text_is_the_models_or_says_whose_it_is(shipped: SourceCatalogue) -> None:
    counted = [(model, model.active_parameters) for model in shipped.models if model.active_parameters]
    assert len(counted) > 300
    for model, active in counted:
        for name in ("summary", "description", "parameters_note"):
            for language in ("en", "zh_hans"):
                text = getattr(model, f"{name}_{language}") or ""
                assert not [*wrong_counts(text, language, active)], (model.slug, name, language)


@pytest.mark.parametrize(
    ("text", "language", "wrong"),
    [
        ("117 billion parameters with 5.1 billion active.", "en", True),
        ("117 billion parameters with 5.1 billion active by the vendor's count.", "en", False),
        ("117 billion parameters, 5.7 billion active.", "en", False),
        ("117 billion parameters, about 5.1 active.", "en", True),
        ("117 billion parameters, 5.7 active.", "en", False),
        ("117 billion parameters with 5.6 billion active.", "en", True),
        ("117 billion parameters with ten billion active.", "en", True),
        ("117 billion parameters, six billion active by the vendor's count.", "en", False),
        ("117 billion parameters to load, 5.1 billion at work.", "en", True),
        ("5.1 billion of 117 billion parameters work on a token.", "en", True),
        ("5.7 billion of 117 billion parameters work on a token.", "en", False),
        ("1168 亿参数，每个 token 激活约 51 亿。", "zh_hans", True),
        ("1168 亿参数，每个 token 只用约 51 亿。", "zh_hans", True),
        ("1168 亿参数，每个 token 激活约 58 亿。", "zh_hans", True),
        ("1168 亿参数，标称激活 51 亿。", "zh_hans", False),
    ],
)
def test_an_active_count_is_read_from_a_sentence(text: str, language: str, wrong: bool) -> None:
    """gpt-oss-120b computes with 5,708 million parameters; its vendor's card says 5.1B."""
    assert bool([*wrong_counts(text, language, 5_708_000_000)]) is wrong


def test_base_models_lend_their_chat_models_no_scores(shipped: SourceCatalogue) -> None:
    """`llama-3-70b` scores 42.5 in MATH, its instruct model 50.4 (Qwen2.5 report, both tables)."""
    assert "llama-3-70b" not in shipped.aliases
    values = [
        score.value for score in shipped.scores if score.model == "llama-3-70b-instruct" and score.variant == "MATH"
    ]
    assert 50.4 in values
    assert 42.5 not in values


def test_terms_that_are_not_clear_keep_scores_out(shipped: SourceCatalogue) -> None:
    for score in (*shipped.scores, *shipped.unmatched, *shipped.anchors):
        assert score.benchmark != "rele"
        assert "artificial analysis" not in f"{score.variant} {score.settings} {score.source}".casefold()


SENTENCE = re.compile(r"[^。！？]+[。！？]|(?:[^.!?]|[.!?](?!\s|$))+[.!?](?=\s|$)")
LONG = {"en": 60, "zh_hans": 30}  # characters from which on a sentence is no turn of phrase any more


@pytest.mark.parametrize("language", ["en", "zh_hans"])
def test_no_two_descriptions_share_a_sentence(shipped: SourceCatalogue, language: str) -> None:
    """Figures aside: a sentence that fits two models says nothing of either."""
    said: dict[str, str] = {}
    for model in shipped.models:
        for sentence in SENTENCE.findall(FIGURE.sub("", getattr(model, f"description_{language}"))):
            if len(sentence.strip()) >= LONG[language]:
                assert said.setdefault(sentence.strip(), model.slug) == model.slug, sentence


UNRECORDED = {
    "en": re.compile(
        r"\bon record\b|(?:scores|results)[^.]*\b(?:not|are|so far) listed"
        r"|[Nn]o (?:test |benchmark )?(?:scores|results)[^.]*\bhere\b"
    ),
    "zh_hans": re.compile(r"没有(?:收录|列出)[^。；，]*成绩|这里(?:还)?没有[^。；，]*成绩|暂无成绩"),
}


def test_no_description_says_what_the_site_has_on_record(shipped: SourceCatalogue) -> None:
    """The page shows its results, and a sentence that says there are none is wrong from the next board on."""
    for model in shipped.models:
        for language, said in UNRECORDED.items():
            assert not said.search(getattr(model, f"description_{language}")), (model.slug, language)


def test_memory_in_a_description_is_computed(shipped: SourceCatalogue) -> None:
    """A figure in GiB is asked of the calculator, and every model that it can answer for has one."""
    for model in shipped.models:
        for text in (model.description_en, model.description_zh_hans):
            assert not re.search(r"(?<![}\d.])\d[\d.,]* ?GiB", text), (model.slug, text)
            if model.config is not None and not model.config_unread:
                assert FIGURE.search(text), (model.slug, text)


LLAMA = read_config(
    {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2}
    | {"num_attention_heads": 4, "vocab_size": 128, "intermediate_size": 128}
)
OPT = read_config(
    {"model_type": "opt", "architectures": ["OPTForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2}
    | {"num_attention_heads": 4, "vocab_size": 128, "ffn_dim": 128}
)
NOWHERE = frozenset({"llama.cpp", "mlx"})


def test_no_text_names_an_engine_that_does_not_run_the_model(shipped: SourceCatalogue) -> None:
    """Nor gives a figure in another format than the page does: llama.cpp's four bits where llama.cpp runs nothing."""
    read = [model for model in shipped.models if model.config is not None and not model.config_unread]
    assert len(read) > 500
    for model in read:
        shape = read_config(model.config or {})
        without = frozenset(engines_without_code(shape))
        longest = model.context_extended_tokens or model.context_tokens
        for language in ("en", "zh_hans"):
            for text in (getattr(model, f"{kind}_{language}") for kind in ("summary", "description")):
                assert not [*recommended(text, language, without)], (model.slug, language)
                assert not [*in_another_format(text, shape, longest)], (model.slug, language)


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("MLX runs it on an iPhone.", "en", True),
        ("GGUF files come from the publisher.", "en", True),
        ("No GGUF can be made of it; vLLM loads it.", "en", False),
        ("可用 llama.cpp 运行。", "zh_hans", True),
        ("llama.cpp 转换不了它，可用 vLLM 加载。", "zh_hans", False),
    ],
)
def test_an_engine_is_read_from_a_sentence(text: str, language: str, found: bool) -> None:
    """OPT has code in vLLM and transformers, and none in llama.cpp's converter or mlx-lm (their lists of classes)."""
    assert frozenset(engines_without_code(OPT)) == NOWHERE
    assert bool([*recommended(text, language, NOWHERE)]) is found


@pytest.mark.parametrize(
    ("text", "shape", "found"),
    [
        ("Quantised, it weighs {weights} GiB.", OPT, True),
        ("Quantised, it weighs {weights} GiB.", LLAMA, False),
        ("It weighs {weights} GiB in BF16.", OPT, False),
        ("It weighs {weights} GiB in BF16.", LLAMA, True),
        ("量化后权重有 {weights} GiB。", OPT, True),
        ("16 位权重有 {weights} GiB。", LLAMA, True),
        ("Quantised, it is small. In all {memory@1K} GiB.", OPT, False),
    ],
)
def test_a_format_is_read_from_a_sentence(text: str, shape: Shape, found: bool) -> None:
    assert bool([*in_another_format(text, shape, None)]) is found
