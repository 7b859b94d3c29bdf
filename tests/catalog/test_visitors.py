"""Whose request it is, and that one visitor has one rate whatever address of theirs they ask from."""

from __future__ import annotations

from threading import Thread, current_thread, main_thread
from typing import Any

import pytest
from django.test import Client, RequestFactory
from ninja.throttling import AnonRateThrottle

from catalog.api import api
from catalog.visitors import Rate, client_address

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"  # RFC 5737: for documentation
NETWORK = "2001:db8:1:2"  # RFC 3849


@pytest.mark.parametrize(
    ("behind_proxy", "remote", "forwarded", "address"),
    [
        (False, HERE, "", HERE),
        (False, HERE, ELSEWHERE, HERE),
        (True, "127.0.0.1", HERE, HERE),
        (True, "127.0.0.1", f"{ELSEWHERE}, {HERE}", HERE),
        (True, "", HERE, HERE),
        (True, HERE, "", HERE),
        (False, "", "", None),
        (False, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (True, "", "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (False, "::ffff:192.0.2.1", "", HERE),
        (True, "127.0.0.1", "unknown", None),
        (True, "127.0.0.1", f"{ELSEWHERE}, {HERE}:4711", HERE),
        (True, "127.0.0.1", "[2001:db8:1:2::1]:4711", "2001:db8:1:2::"),
        (True, "127.0.0.1", "[2001:db8:1:2::1]", "2001:db8:1:2::"),
        (True, "127.0.0.1", "::1:80", "::"),
    ],
)
def test_whose_address_it_is(
    behind_proxy: bool, remote: str, forwarded: str, address: str | None, settings: Any
) -> None:
    settings.BEHIND_PROXY = behind_proxy
    request = RequestFactory().get("/")
    request.META |= {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(request) == address


def statuses(addresses: list[str], **headers: str) -> list[int]:
    client = Client()
    return [
        client.post("/en/check/", {"log": "x"}, REMOTE_ADDR=address, headers=headers).status_code
        for address in addresses
    ]


@pytest.mark.django_db
def test_a_customer_of_ipv6_has_one_rate(settings: Any) -> None:
    """RFC 6177, 2: a site gets a /64 at the least, and its owner may write any of the addresses in it."""
    settings.PASTE_RATE = "2/min"
    assert statuses([f"{NETWORK}::{number}" for number in range(4)])[2:] == [429, 429]
    assert statuses(["2001:db8:1:3::1"]) != [429]


@pytest.mark.django_db
def test_the_api_counts_by_the_same_rule(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the address that a trusted proxy names, and of no other."""
    assert isinstance(api.throttle, list)
    [rate] = api.throttle
    monkeypatch.setattr(rate, "rate", "2/min")
    settings.BEHIND_PROXY = True
    assert asked([f"{NETWORK}:{number}::" for number in range(4)]) == [200, 200, 429, 429]
    settings.BEHIND_PROXY = False
    assert asked([f"192.0.2.{number}" for number in range(4)]) == [200, 200, 429, 429]


def asked(forwarded: list[str]) -> list[int]:
    """Each asks for another answer: what is kept already is counted for nobody."""
    client = Client()
    return [
        client.get(f"/api/v1/models/?n={name}", headers={"x-forwarded-for": name}).status_code for name in forwarded
    ]


def ask(rate: Rate, address: str) -> bool:
    return rate.allow_request(RequestFactory().get("/", REMOTE_ADDR=address))


def test_who_asks_meanwhile_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of a worker share one counter: another's request comes between the look and the answer, and between the
    answer and how long it says to wait."""
    rate, asked_meanwhile = Rate("2/min"), []

    def meanwhile() -> None:
        other = Thread(target=lambda: asked_meanwhile.append(ask(rate, ELSEWHERE)))
        other.start()
        other.join()

    def time_passes(_throttle: Any) -> float:
        if current_thread() is main_thread():
            meanwhile()
        return 1000.0

    assert [ask(rate, HERE) for _time in range(2)] == [True, True]
    monkeypatch.setattr(AnonRateThrottle, "timer", time_passes)
    rate = Rate("2/min", "other")
    assert [ask(rate, HERE) for _time in range(3)] == [True, True, False]
    assert asked_meanwhile == [True, True, False]
    rate = Rate("1/min", "third")
    assert [ask(rate, HERE) for _time in range(2)] == [True, False]
    meanwhile()
    assert rate.wait() == 60
