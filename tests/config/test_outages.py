"""What a process knows of another server's silence."""

from __future__ import annotations

import pytest

from config import outages
from config.outages import Outage


def test_two_threads_find_at_once_that_it_is_over(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one ends it while this one looks at the clock: said once, and no error of either."""
    outage = Outage("It", "", trying_s=1.0, rest_s=1.0)
    outage.failed(OSError())
    caplog.clear()
    others = iter([outage.answered])

    def clock() -> float:
        for other in others:
            other()
        return 100.0

    monkeypatch.setattr(outages, "monotonic", clock)
    outage.answered()
    assert outage.since is None
    assert len(caplog.records) == 1


def test_a_refusal_is_said_once_and_only_after_a_silence(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("It", "", trying_s=9.0, rest_s=9.0)
    outage.refused(OSError("no"))
    assert not caplog.records
    outage.failed(OSError("nothing"))
    assert outage.rests()
    for _turn in range(2):
        outage.refused(OSError("no\n\tnot now"))
        assert not outage.rests()
    assert [each.getMessage() for each in caplog.records[1:]] == ["It refuses, after 0 s of silence (no not now)."]
