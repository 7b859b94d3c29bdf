"""`manage.py check_log` says what the page says."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.calculator.logs.samples import FOLDER, SECRETS

CONFIG = Path("calculator/reference/configs/llama-3-1-8b-instruct.json")
LOG = str(FOLDER / "llama-server.log")


def check_log(*arguments: str) -> str:
    output = StringIO()
    call_command("check_log", *arguments, stdout=output)
    return output.getvalue()


def test_with_a_config_no_database_is_needed() -> None:
    text = check_log(LOG, "--config", str(CONFIG))
    assert "4,403.49 MiB    4,403.49 MiB  0%" in text
    assert "llama.cpp b6710" in text


def test_json() -> None:
    answer = json.loads(check_log(LOG, "--config", str(CONFIG), "--json"))
    assert (answer["engine"], answer["build"], answer["told_by"]) == ("llama.cpp", "b6710", "config")
    rows = {(row["quantity"], row["place"]): row for row in answer["rows"]}
    assert rows["kv_cache", "cards"]["printed"] == rows["kv_cache", "cards"]["predicted"] == 272 * 2**20
    assert answer["asked"]["kv_format"] == "q8_0"


def test_a_failure_and_what_fits() -> None:
    config = "calculator/reference/configs/qwen2-5-32b-instruct.json"
    log = str(FOLDER / "ollama-out-of-memory.log")
    answer = json.loads(check_log(log, "--config", config, "--json"))
    assert answer["failure"]["key"] == "out_of_memory"
    assert {fix["state"] for fix in answer["fixes"]} <= {"fits", "tight"}
    assert "shorter_context" in {fix["key"] for fix in answer["fixes"]}
    assert "The card ran out of memory." in check_log(log, "--config", config)


def test_the_case() -> None:
    text = check_log(LOG, "--config", str(CONFIG), "--case")
    assert all(json.loads(line)["engine"] == "llama.cpp" for line in text.splitlines())
    assert not any(secret in text for secret in SECRETS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nowhere/x.log"], "No such file"),
        ([str(CONFIG)], "No line of an engine"),
        ([LOG, "--config", LOG], "This is a log"),
    ],
)
def test_what_is_wrong(arguments: list[str], said: str) -> None:
    if "--config" not in arguments:
        arguments = [*arguments, "--config", str(CONFIG)]
    with pytest.raises(CommandError, match=said):
        check_log(*arguments)
