"""Who keeps the processor busy is told to wait for the next minute; nobody else is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog.models import Release
from config import work_rates

pytestmark = pytest.mark.django_db
SECONDS = 10  # that each answer below takes, of 25 in a minute


@pytest.fixture(autouse=True)
def long_answers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The clock of the wall as a list of one moment; that of the processor goes on by `SECONDS` with each look."""
    now, ticks = [600.0], count(0, SECONDS)
    settings.WORK_SECONDS = 25
    monkeypatch.setattr(work_rates, "thread_time", lambda: next(ticks))
    monkeypatch.setattr(work_rates, "time", lambda: now[0])
    return now  # type: ignore[return-value]


def statuses(times: int, path: str = "/en/glossary/", client: Client | None = None, **sent: Any) -> list[int]:
    """Each asks for another answer: what is kept is no work."""
    return [(client or Client()).get(f"{path}?n={time}", **sent).status_code for time in range(times)]


def test_whoever_keeps_it_busy_waits_for_the_next_minute(long_answers: list[float]) -> None:
    assert statuses(5) == [200, 200, 200, 429, 429]
    assert statuses(1, "/en/search/") == [429]
    assert statuses(1, REMOTE_ADDR="192.0.2.7") == [200]
    long_answers[0] += 60
    assert statuses(1, "/en/search/") == [200]


def test_ordinary_answers_are_not_counted_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """An office behind one address, or a load test, asks for many of them."""
    ticks = count(0, work_rates.LONG_S / 2)
    monkeypatch.setattr(work_rates, "thread_time", lambda: next(ticks))
    assert set(statuses(400)) == {200}  # 40 seconds, of 25 in a minute


def test_what_is_kept_is_no_work() -> None:
    assert [Client().get("/en/glossary/?kept").status_code for _time in range(5)] == [200] * 5


def test_it_is_said_in_the_readers_language_and_for_how_long(long_answers: list[float]) -> None:
    long_answers[0] += 20
    statuses(3)
    refused = Client().get("/zh-hans/glossary/")
    assert "请在 41 秒后重试：这个地址请求的内容计算耗时过长。" in refused.content.decode()
    assert refused.headers["Retry-After"] == "41"
    told = Client().get("/api/v1/benchmarks/")
    assert told.status_code == 429
    assert told.json() == {
        "detail": "What this address asked for takes long to compute. Please try again in 41 seconds.",
        "errors": {},
    }


def test_editors_are_not_counted_but_who_only_says_to_be_one_is() -> None:
    editor, pretends = Client(), Client()
    editor.force_login(User.objects.create_superuser("editor"))
    assert statuses(5, client=editor) == [200] * 5
    pretends.cookies["sessionid"] = "none"
    assert statuses(5, client=pretends)[-1] == 429


def test_whoever_has_no_more_may_still_log_in(long_answers: list[float]) -> None:
    """An editor who read long lists first is one only from here on."""
    User.objects.create_superuser("editor", password="correct horse battery")
    statuses(3)
    editor = Client()
    assert statuses(1, "/admin/login/", client=editor) == [200]
    sent = {"username": "editor", "password": "correct horse battery"}
    assert editor.post("/admin/login/", sent).status_code == 302
    assert statuses(5, client=editor) == [200] * 5
    assert statuses(5, "/admin/", client=editor) == [200] * 5
    assert statuses(1, "/en/search/") == [429]


def test_whoever_asks_for_the_login_again_and_again_is_bound_too() -> None:
    """No pages are kept there."""
    assert statuses(5, "/admin/login/") == [200, 200, 200, 429, 429]
    assert statuses(1, "/admin/jsi18n/") == [429]
    assert statuses(1) == [200]


def test_what_is_done_with_an_answer_that_was_written_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compression takes up to three tenths of what a page costs."""
    spent = [0.0]
    monkeypatch.setattr(work_rates, "thread_time", lambda: spent[0])

    def slowly(content: bytes, **_options: Any) -> bytes:
        spent[0] += SECONDS
        return content[:100]

    monkeypatch.setattr("brotli.compress", slowly)
    assert statuses(5, HTTP_ACCEPT_ENCODING="br") == [200, 200, 200, 429, 429]


def test_what_is_sent_piece_by_piece_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release is unpacked while it is sent."""
    spent = [0.0]
    monkeypatch.setattr(work_rates, "thread_time", lambda: spent[0])
    release = Release.objects.create(
        scope="overall", date="2026-11-30", method="1", input_hash="0", num_scores=0, num_ranked=0, document=b""
    )

    def slowly(_release: Release) -> Iterator[bytes]:
        for piece in (b"{", b"}"):
            spent[0] += SECONDS
            yield piece

    monkeypatch.setattr(Release, "json", slowly)
    address = f"/en/benchmarks/releases/{release.pk}.json"
    told: list[Any] = [Client().get(address) for _time in range(2)]
    assert [answer.getvalue() for answer in told] == [b"{}", b"{}"]
    assert statuses(1, address) == [429]


def test_without_the_setting_nobody_is(settings: Any) -> None:
    settings.WORK_SECONDS = 0
    assert statuses(5) == [200] * 5
