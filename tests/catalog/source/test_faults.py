"""Every fault is named with its file and key, and all of them at once."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from catalog.source import SourceError, load

CARD, SCORES = "models/acme/road-runner/card.toml", "models/acme/road-runner/scores.toml"
CONFIG = "models/acme/road-runner/config.json"


def faults(folder: Any) -> list[str]:
    with pytest.raises(SourceError) as raised:
        load(folder.path)
    return [str(fault) for fault in raised.value.faults]


def test_the_folder_loads(folder: Any) -> None:
    catalogue = load(folder.path)
    assert [model.slug for model in catalogue.models] == ["road-runner"]
    assert catalogue.models[0].release_date == "2025-04-05"  # a TOML date
    assert [(score.benchmark, score.value) for score in catalogue.scores] == [
        ("mmlu", 61.5),
        ("arena", 1210.4),
        ("mmlu", 60.0),  # by its alias
    ]
    assert [score.model for score in catalogue.unmatched] == ["coyote-7b"]


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "says"),
    [
        (CARD, 'name = "Road Runner"', 'nmae = "Road Runner"', f"{CARD}: nmae", "unknown key"),
        (CARD, 'name = "Road Runner"', 'nmae = "Road Runner"', f"{CARD}: name", "missing"),
        (CARD, "2025-04-05", '"2025-02-30"', f"{CARD}: release_date", "day is out of range"),
        (CARD, "2025-04-05", '"April 2025"', f"{CARD}: release_date", "write YYYY-MM-DD or YYYY-MM"),
        (
            CARD,
            'name = "Road Runner"',
            'name = "Road Runner"\ndescription_en = "It holds {cache@1M} GiB, {cache@4K} at less."',
            f"{CARD}: description_en",
            "no figure {cache@1M} for this model",
        ),
        (
            CARD,
            'summary_en = "Runs."',
            'summary_en = "It takes {memory} GiB."',
            f"{CARD}: summary_en",
            "no figure {memory} for this model",
        ),
        (CARD, '"2024-12"', '"2025-12"', f"{CARD}: knowledge_cutoff", "after the release"),
        (CARD, "context_tokens = 4096", 'context_tokens = "4096"', f"{CARD}: context_tokens", "valid integer"),
        (CARD, "context_tokens = 4096", "context_tokens = -1", f"{CARD}: context_tokens", "greater than 0"),
        (CARD, "context_tokens = 4096", "context_tokens = 8192", f"{CARD}: context_tokens", "8,192 stated, 4,096"),
        (CARD, '"text"]\noutput', '"smell"]\noutput', f"{CARD}: input_modalities.0", "'text', 'image'"),
        (CARD, 'family = "road"', 'family = "street"', f"{CARD}: family", "no family 'street'"),
        (
            "accelerators/huawei.toml",
            "memory_gb = 64",
            'memory_gb = 64\ncross_check = { "launch price" = ["Epoch AI"] }',
            "accelerators/huawei.toml: accelerator.1.cross_check.launch price",
            "'memory', 'bandwidth' or 'tdp'",
        ),
        (CARD, 'licence = "mit"', 'licence = "gpl"', f"{CARD}: licence", "no licence 'gpl'"),
        (CARD, 'name = "Road Runner"', 'name = "R"\nslug = "r"', f"{CARD}: slug", "follows from the file's place"),
        (CARD, 'attention = ["gqa"]', 'attention = ["gqa", "mla"]', f"{CARD}: attention", "mla"),
        (CARD, 'attention = ["gqa"]', 'attention = ["mamba"]', f"{CARD}: attention", "mamba"),
        (
            CARD,
            "total_parameters = 20",
            "total_parameters = 30",
            f"{CARD}: total_parameters",
            "302,048 stated, 202,048",
        ),
        (
            CARD,
            'label = "0.2M"',
            'label = "0.2M"\ntotal_published = 999_000',
            f"{CARD}: total_published",
            "999,000 is not what",
        ),
        (CARD, "active_parameters = 20", "active_parameters = 90", f"{CARD}: active_parameters", "more than all"),
        (CARD, 'active_basis = "all"', 'active_basis = "computed"', f"{CARD}: active_basis", "that is everything"),
        (CARD, '"config", "licence"', '"config", "price"', f"{CARD}: source.1.facts.1", "'licence'"),
        (CARD, "https://huggingface", "javascript:huggingface", f"{CARD}: source.1.url", "pattern"),
        (
            CARD,
            "[[source]]",
            '[[source]]\nfacts = ["config"]\nref = "acme/Road-Runner"\nkind = "official-repo"\n\n[[source]]',
            f"{CARD}: source",
            "twice",
        ),
        (CARD, "name =", "name ==", CARD, "Invalid value"),
        (CONFIG, '"llama"', '"lama"', f"{CARD}: config", "lama"),
        (CONFIG, "}", "", CONFIG, "not_json"),
        (
            CONFIG,
            '"num_key_value_heads": 2',
            '"num_key_value_heads": 2, "time_step_limit": [0.0, Infinity]',
            CONFIG,
            "1e+308",
        ),
        (CONFIG, '"num_key_value_heads": 2', '"num_key_value_heads": 3', f"{CARD}: config", "3"),
        (SCORES, "61.5", "101.5", f"{SCORES}: score.1.value", "101.5 is outside 0 to 100.0"),
        (SCORES, "1210.4", "-1.0", f"{SCORES}: score.2.value", "-1.0 is outside"),
        (SCORES, "61.5", "nan", f"{SCORES}: score.1.value", "finite"),
        (SCORES, '"arena"', '"arean"', f"{SCORES}: score.2.benchmark", "no benchmark 'arean'"),
        (SCORES, '[[score]]\nbenchmark = "mmlu"', "other = 1", f"{SCORES}: other", "unknown key"),
        ("licences.toml", '"yes"', '"maybe"', "licences.toml: licence.1.commercial_use", "'restricted'"),
        ("benchmarks.toml", '"arena"', '"mmlu"', "benchmarks.toml: benchmark.2.slug", "taken already"),
        ("accelerators/huawei.toml", "64", "0", "accelerators/huawei.toml: accelerator.1.memory_gb", "greater than 0"),
        (
            "accelerators/huawei.toml",
            "disagreements_zh_hans = [",
            'disagreements_zh_hans = ["另一条。", ',
            "accelerators/huawei.toml: accelerator.1.disagreements_zh_hans",
            "1 in English, 2 in Chinese",
        ),
        ("organizations/acme.toml", '"CN"', '"China"', "organizations/acme.toml: country", "pattern"),
        ("score_aliases.toml", '= "road', '= "rood', "score_aliases.toml: aliases.roadrunner", "no model"),
        ("score_aliases.toml", "[aliases]", "aliases = 1\n[other]", "score_aliases.toml: aliases", "write [aliases]"),
        ("score_aliases.toml", "[aliases]", "[alias]", "score_aliases.toml: alias", "unknown key"),
        (
            "unmatched_scores.toml",
            'model = "',
            'model = [] # "',
            "unmatched_scores.toml: score.1.model",
            "valid string",
        ),
    ],
)
def test_a_fault_names_file_and_key(folder: Any, file: str, old: str, new: str, place: str, says: str) -> None:
    folder.replace(file, old, new)
    assert any(fault.startswith(f"{place}: ") and says in fault for fault in faults(folder)), faults(folder)


def test_all_faults_at_once(folder: Any) -> None:
    folder.replace(CARD, 'variant = "instruct"', 'variant = "parrot"')
    folder.replace("licences.toml", '"yes"', '"maybe"')
    folder.replace(SCORES, '"arena"', '"arean"')
    assert [fault.split(":")[0] for fault in faults(folder)] == ["licences.toml", CARD, SCORES]


def test_a_benchmark_twice_in_the_same_settings(folder: Any) -> None:
    text = (folder.path / SCORES).read_text()
    folder.write(SCORES, text + text.split("\n\n")[0].replace("61.5", "62.5"))
    assert faults(folder) == [f"{SCORES}: score.3.benchmark: mmlu twice: same source, settings and date"]


def test_a_note_explains_a_difference(folder: Any) -> None:
    folder.replace(CARD, "context_tokens = 4096", 'context_tokens = 2048\ncontext_note_en = "It advises 2K of 4,096."')
    assert [str(remark) for remark in load(folder.path).remarks] == [
        f"{CARD}: context_tokens: 2,048 stated, It advises 2K of 4,096."
    ]


def test_files_that_nothing_loads(folder: Any) -> None:
    """llama.cpp's converter lists no such class; Ollama may run it by code of another kind."""
    name = 'name = "Road Runner"'
    folder.replace(CARD, name, f'{name}\ngguf_repo = "acme/road-GGUF"\nollama_tag = "road:7b"')
    load(folder.path)  # Llama has a class
    folder.replace(CONFIG, '"llama"', '"llama", "architectures": ["RoadForCausalLM"]')
    found = [fault.partition(": ")[2].partition(": ")[0] for fault in faults(folder)]
    assert {"gguf_repo", "ollama_tag"} <= {*found}


def test_nothing_to_load(folder: Any) -> None:
    shutil.rmtree(folder.path / "models")
    folder.write("score_aliases.toml", "[aliases]\n")
    assert faults(folder) == ["models: no <organisation>/<slug>/card.toml: there is nothing to load"]


def test_one_slug_for_two_models(folder: Any) -> None:
    shutil.copytree(folder.path / "models/acme/road-runner", folder.path / "models/other/road-runner")
    text = (folder.path / "organizations/acme.toml").read_text()
    folder.write("organizations/other.toml", text.split("[[family]]")[0])
    found = faults(folder)
    assert f"models/other/road-runner/card.toml: slug: 'road-runner' is taken already, by {CARD}" in found
    assert "models/other/road-runner/card.toml: family: 'road' belongs to 'acme'" in found


@pytest.mark.parametrize("date", ["2025-02-04", "2025-02"])
def test_a_publisher_may_report_some_weeks_before_it_gives_out_the_weights(folder: Any, date: str) -> None:
    """The card is of 2025-04-05; its first score is the publisher's. Of a month its last day is taken."""
    folder.replace(SCORES, 'date = "2025-05"', f'date = "{date}"')
    assert load(folder.path).models


@pytest.mark.parametrize("date", ["2025-02-03", "2025-01", "2024-04-05"])
def test_a_publisher_s_result_is_not_much_older_than_the_model(folder: Any, date: str) -> None:
    folder.replace(SCORES, 'date = "2025-05"', f'date = "{date}"')
    told = f"{SCORES}: score.1.date: {date}: the model was released on 2025-04-05, nobody reports so much before"
    assert faults(folder) == [told]
