"""Thousands of requests that nobody would make: to the API by schemathesis, to pages by hypothesis (`pages.py`), on a
real server over SQLite and over PostgreSQL. No 5xx, none without an answer, none torn; what fails is shown in short.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.faults import pages
from tests.servers.daemons import PATIENCE_S, PostgreSQL, Site, missing

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SHARES = ((GenerationMode.POSITIVE, 2), (GenerationMode.NEGATIVE, 1))
DESCRIPTION = "/api/v1/openapi.json"


class Network:
    """One visitor with a kept connection, who counts."""

    def __init__(self, address: str) -> None:
        self.address, self.session = address, requests.Session()
        self.statuses, self.slowest = Counter[int](), (0.0, "")
        self.session.hooks["response"] = [self._count]

    def _count(self, answer: requests.Response, *_arguments: Any, **_options: Any) -> None:
        self.statuses[answer.status_code] += 1
        self.slowest = max(self.slowest, (answer.elapsed.total_seconds(), answer.url[:200]))

    def ask(self, request: pages.Request) -> pages.Answer:
        answer = self.session.request(
            request.method,
            self.address + request.path,
            headers=dict(request.headers),
            data=request.body,
            allow_redirects=False,
            timeout=PATIENCE_S,
        )
        return pages.Answer(answer.status_code, answer.headers.get("Content-Type", ""), answer.content)


def bounded(number: int, start: int) -> Callable[[Any], Any]:
    limits = settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: limits(seed(start)(test))


def ask_pages(ask: pages.Ask, known: dict[str, pages.Values], number: int, start: int) -> None:
    @bounded(number, start)
    @given(pages.requests(known))
    def answered(request: pages.Request) -> None:
        pages.judge(request, ask(request))

    answered()


def ask_api(schema: Any, known: pages.Values, number: int, start: int, **session: Any) -> None:
    """As often for each operation; of the cases a third are none that its description allows, where there are any."""
    _tell(schema, known)
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in operations:
        shares = SHARES if _can_be_wrong(operation) else SHARES[:1]
        parts = sum(share for _mode, share in shares) * len(operations)
        for mode, share in shares:

            @bounded(max(1, number * share // parts), start)
            @given(operation.as_strategy(generation_mode=mode))
            def answered(case: schemathesis.Case) -> None:
                case.call_and_validate(checks=CHECKS, **session)

            answered()


def _can_be_wrong(operation: Any) -> bool:
    """A path that takes any text cannot, and to look for a case that is takes hypothesis a second."""
    return bool(operation.body or list(operation.query))


def _tell(schema: Any, known: pages.Values) -> None:
    """What a description cannot say: half of the cases name a model, a card, an engine that there is, or a config."""

    def some(names: Iterable[str]) -> st.SearchStrategy[dict[str, str]]:
        return st.fixed_dictionaries(
            {}, optional={name: st.sampled_from(sorted(known[name])) for name in names if name in known}
        )

    @schema.hook
    def before_generate_path_parameters(context: Any, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        path = context.operation.path
        kind = "model" if "models" in path else "card" if "accelerators" in path else "benchmark"
        return strategy | st.fixed_dictionaries({"slug": st.sampled_from(sorted(known[kind] - {""}))})

    @schema.hook
    def before_generate_query(context: Any, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        names = {parameter.name for parameter in context.operation.query} & set(known)
        return strategy | some(names) if names else strategy

    @schema.hook
    def before_generate_body(context: Any, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        config = pages.damaged().map(lambda text: json.loads(text, parse_constant=lambda _nan: 0))
        body = st.builds(lambda config, more: {"config": config} | more, config, some(["engine", "weights", "kv"]))
        return strategy | body


def main(number: int, start: int) -> bool:
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        databases = {"SQLite": f"sqlite:///{folder}/site.sqlite3"}
        if absent := missing("postgres", "initdb"):
            print(f"not on PostgreSQL: {', '.join(absent)} is not installed")
        else:
            databases["PostgreSQL"] = stack.enter_context(PostgreSQL(folder)).url
        right = [_asked(kind, url, folder, number // len(databases), start) for kind, url in databases.items()]
        return all(right)


def _asked(kind: str, url: str, folder: Path, number: int, start: int) -> bool:
    own = folder / kind
    own.mkdir()
    site = Site("site", own, DATABASE_URL=url, PASTE_RATE="1000000/sec")
    site.load()
    site.manage("accuracy")  # else its page is 503 while the site that has just begun computes its cases
    right, began = True, time.monotonic()
    with site:
        visitor = Network(f"http://127.0.0.1:{site.port}")
        schema = schemathesis.openapi.from_url(visitor.address + DESCRIPTION)
        known = pages.parameters(visitor.ask)
        asks = (
            lambda: ask_pages(visitor.ask, known, number // 2, start),
            lambda: ask_api(schema, pages.merged(known), number // 2, start, session=visitor.session),
        )
        for ask in asks:
            try:
                ask()
            except Exception as error:
                right = False
                print(type(error).__name__, *getattr(error, "exceptions", [error]), sep="\n")
        told = ", ".join(f"{each} x {status}" for status, each in sorted(visitor.statuses.items()))
        died = site.said().count("Booting worker") - 2
        failed = site.said().count("Traceback")
    print(
        f"{kind}, seed {start}: {sum(visitor.statuses.values())} requests in {time.monotonic() - began:.0f} s: {told}; "
        f"{died} workers died, {failed} tracebacks; the slowest took {visitor.slowest[0]:.2f} s: {visitor.slowest[1]}",
        flush=True,
    )
    return right and not died and not failed
