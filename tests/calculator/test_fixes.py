"""What helps where a model does not fit: each change is computed, and its address shows just that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from django.template.loader import render_to_string

from calculator import panel
from calculator.accuracy.references import reference_shape
from calculator.architecture import read_config
from calculator.hardware import from_specification
from calculator.hardware.fixes import KEYS, _by_the_engine, _Search, fixes
from calculator.hardware.limits import DEEPEST_SOUGHT, least_offload
from calculator.memory.llama_cpp.perplexity import perplexity_rise
from calculator.workload_form import WorkloadForm

GEFORCE = from_specification(
    slug="rtx-4090",
    name="GeForce RTX 4090",
    vendor="nvidia",
    segment="consumer",
    memory_gb=24,
    compute_capability="8.9",
)
MAC = from_specification(slug="mac", name="Mac", vendor="apple", segment="apple-silicon", memory_gb=64)
CASES = [
    ("llama-3-1-8b-instruct", {"weights": "BF16", "context": "131072"}),
    ("llama-4-maverick-instruct", {"cards": "8"}),
    ("llama-4-maverick-instruct", {}),
    ("gpt-oss-120b", {"context": "131072"}),
    ("gpt-oss-120b", {"engine": "vllm", "cards": "8"}),
    ("llama-3-1-8b-instruct", {"engine": "vllm", "card": "mac"}),
    ("llama-3-1-8b-instruct", {"weights": "BF16", "sequences": "64", "ubatch": "1024"}),
    ("llama-3-1-8b-instruct", {"engine": "transformers", "context": "131072", "cards": "2"}),
]


def build(slug: str, query: dict[str, str]) -> panel.Panel:
    shape = reference_shape(slug)
    form = WorkloadForm(shape, {"card": "rtx-4090"} | query, cards=[GEFORCE, MAC])
    return panel.build(shape, form)


@pytest.mark.parametrize(("slug", "query"), CASES)
def test_every_link_leads_to_what_it_promises(slug: str, query: dict[str, str]) -> None:
    shown = build(slug, query)
    assert shown.fit
    assert shown.fit.badge == "over"
    assert shown.fixes
    for fix in shown.fixes:
        there = build(slug, dict(parse_qsl(fix.query)))
        assert there.form.errors == {}
        assert there.fit
        assert there.fit.badge == fix.fit.badge != "over"
        assert there.fit.room == fix.fit.room
        assert fix.fit.fit.spare_bytes is not None
        assert fix.fit.fit.spare_bytes >= 0  # what is short by our own figure helps nobody
        assert there.fixes == ()


@pytest.mark.parametrize(
    "query", [{"cards": "8"}, {"cards": "1"}, {"cards": "4", "kv": "q8_0"}, {"cards": "8", "sequences": "4"}], ids=str
)
def test_contexts_of_as_many_cells_are_searched_once_and_told_as_each_would_be_alone(query: dict[str, str]) -> None:
    """Cells come by 256: 25,025 and 25,080 tokens are 25,088. With several sequences fewer of them are counted anew."""
    searched = _by_the_engine.cache_info().misses
    for tokens in ("25025", "25080"):
        form = build("llama-4-maverick-instruct", query | {"context": tokens}).form
        assert form.placed
        assert form.placed.estimate
        found = {fix.key: fix for fix in fixes(form.shape, form.workload, form.placed)}
        where = form.placed.card, form.placed.count, 0, form.placed.estimate.file_bytes
        alone = {fix.key: fix for fix in _Search(form.shape, form.workload, *where).fixes(KEYS)}
        assert found.keys() == alone.keys()
        for key, fix in found.items():
            assert (fix.workload, fix.fit.workload) == (alone[key].workload, alone[key].fit.workload)
            assert (fix.fit.state, fix.fit.per_card_bytes) == (alone[key].fit.state, alone[key].fit.per_card_bytes)
            assert fix.fit.reasons == alone[key].fit.reasons
    assert _by_the_engine.cache_info().misses - searched == (2 if "sequences" in query else 1)


def test_an_engine_that_does_not_take_the_card_names_one_that_does() -> None:
    shown = build("llama-3-1-8b-instruct", {"engine": "vllm", "card": "mac"})
    assert [fix.text for fix in shown.fixes] == ["Run it with llama.cpp, weights in F16"]


def test_nothing_helps_what_fits() -> None:
    assert build("llama-3-1-8b-instruct", {}).fixes == ()


def test_shortages_are_of_the_fullest_card() -> None:
    """Of Maverick on eight cards of 24 GB, the fullest lacks a few GiB; not eight times as many."""
    shown = build("llama-4-maverick-instruct", {"cards": "8"})
    assert shown.fit
    answer = shown.fit.fit
    assert answer.per_card_bytes
    assert answer.spare_bytes
    assert shown.fit.room.startswith("fullest card ")
    assert f"{-answer.spare_bytes / 2**30:.2f} short" in shown.fit.room


def test_more_cards_are_as_few_as_do() -> None:
    """Twelve of 24 GB hold Maverick at Q4_K_M, ten do not."""
    shown = build("llama-4-maverick-instruct", {"cards": "8"})
    assert "Use 12 of these cards" in [fix.text for fix in shown.fixes]
    assert build("llama-4-maverick-instruct", {"cards": "10"}).fit.badge == "over"  # type: ignore[union-attr]


def test_weights_that_double_the_perplexity_are_named_last() -> None:
    form = build("llama-4-maverick-instruct", {"cards": "4"}).form
    assert form.placed
    keys = [fix.key for fix in fixes(form.shape, form.workload, form.placed)]
    assert keys[-1] == "smaller_weights"  # IQ1_S alone, 874 % above 16 bits


SIZES = {"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 1, "vocab_size": 64}


def deep(layers: int, **query: str) -> panel.Panel:
    """llama.cpp reads up to 512 layers (`LLAMA_MAX_LAYERS`)."""
    shape = read_config({"model_type": "llama", "num_hidden_layers": layers, "max_position_embeddings": 2**24, **SIZES})
    asked = {"engine": "llama.cpp", "context": "16777216", "card": "rtx-4090"} | query
    form = WorkloadForm(shape, asked, max_context_tokens=2**24, cards=[GEFORCE])
    shown = panel.build(shape, form)
    assert shown.fit, form.errors
    assert shown.fit.badge == "over"
    return shown


@pytest.mark.parametrize(("layers", "sought"), [(126, True), (192, True), (193, False), (315, False)])
def test_what_could_lie_in_ram_is_not_sought_for_more_layers_than_any_model_has(layers: int, sought: bool) -> None:
    """A file of a kilobyte with hundreds kept a processor busy for 20 seconds, most of them in search of what could lie
    in RAM. Llama 3.1 405B has 126, Nemotron Ultra 162; merges have more. The rest is sought for all of them, and what
    is not is said."""
    shown = deep(layers)
    assert shown.form.placed
    found = {fix.key for fix in fixes(shown.form.shape, shown.form.workload, shown.form.placed)}
    assert "shorter_context" in found
    assert ("layers_to_ram" in found) is sought
    assert bool(least_offload(shown.form.shape, shown.form.workload, GEFORCE, 1)) is sought
    assert ("was not sought: with more than 192 layers" in shown.unsought) is not sought


def test_no_model_of_the_catalogue_is_too_deep() -> None:
    configs = list(Path("catalog/data/models").glob("*/*/config.json"))
    depths = [json.loads(path.read_bytes()).get("num_hidden_layers", 0) for path in configs]
    assert 126 < max(depths) <= DEEPEST_SOUGHT  # Llama 3.1 405B has 126, Nemotron Ultra 162


def test_of_an_engine_that_keeps_nothing_in_ram_all_is_sought() -> None:
    assert deep(512, engine="vllm").unsought == ""


def test_it_is_not_said_that_nothing_helps_where_not_all_was_sought() -> None:
    """The layers are those of Llama 3.1 405B, 192 of them; a card of 24 GB that stands alone holds no such model."""
    wide = {"hidden_size": 16384, "intermediate_size": 53248, "num_attention_heads": 128, "vocab_size": 128256}
    lone = replace(GEFORCE, max_cards=1)
    said = {}
    for layers in (192, 193):
        shape = read_config({"model_type": "llama", "num_hidden_layers": layers, **wide})
        shown = panel.build(shape, WorkloadForm(shape, {"engine": "llama.cpp", "card": "rtx-4090"}, cards=[lone]))
        page = render_to_string("calculator/_fixes.html", {"panel": shown})
        assert "a smaller model, or a larger card" not in page or layers == 192
        said[layers] = page, shown.fixes
    page, found = said[193]
    assert found == ()
    assert "was not sought: with more than 192 layers" in page
    assert "No other single change makes it fit." in page
    assert "was not sought" not in said[192][0]


def test_each_kind_of_change_is_found_somewhere() -> None:
    found = {
        fix.key
        for slug, query in CASES
        for form in [build(slug, query).form]
        if form.placed
        for fix in fixes(form.shape, form.workload, form.placed)
    }
    assert found >= set(KEYS) - {"smaller_kv_shorter_context"}


def test_a_smaller_format_says_what_it_costs_in_quality() -> None:
    shown = build("llama-3-1-8b-instruct", {"weights": "BF16", "context": "131072"})
    smaller = next(fix for fix in shown.fixes if fix.text.startswith("Take the weights in"))
    weights = dict(parse_qsl(smaller.query))["weights"]
    assert f"perplexity {100 * (perplexity_rise(weights) or 0):.2f}% above that of 16 bits" in smaller.detail
    assert smaller.source
    assert all(not fix.source for fix in shown.fixes if fix.text.startswith(("Shorten", "Store the KV")))
