"""Requests to pages as nobody would make them: every parameter that a page's own forms and links use, and those
of all others, with values that it knows and values that it does not; configs and logs, damaged.

`ask` is the site: a real one over the network, or the one in this process.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
MODEL, CARD = "llama-3-1-8b-instruct", "rtx-4090"
PAGES = (
    *("", "models/", f"models/{MODEL}/", "models/llama-4-maverick-instruct/", f"models/{MODEL}.md"),
    *(f"calculator/?model={MODEL}&card={CARD}", "calculator/?model=gpt-oss-20b&engine=vllm&card=h100-sxm-80gb&cards=2"),
    *(
        "check/",
        "accuracy/",
        "glossary/",
        "benchmarks/",
        "benchmarks/method/",
        "benchmarks/changes/",
        "benchmarks/mmlu/",
    ),
    *("accelerators/", f"accelerators/{CARD}/", f"compare/?m={MODEL}&m=gpt-oss-20b", "organizations/", "families/"),
    *("organizations/meta/", "search/?q=llama", "search/suggestions/?q=ll", "search/cards/?q=40", "feeds/models.atom"),
    *("feeds/ranks.atom", "share.png", f"models/{MODEL}/share.png"),
)
OUTSIDE = (
    "/robots.txt",
    "/llms.txt",
    f"/badge/{MODEL}.svg",
    "/sitemap.xml",
    "/sitemap-models.xml",
    "/favicon.ico",
    "/",
)
MISSING = (
    "models/{}/",
    "models/{}.md",
    "accelerators/{}/",
    "benchmarks/{}/",
    "benchmarks/releases/{}.json",
    "{}/",
    "{}",
)
CONTROL = re.compile(r'<(?:input|select|textarea|button)\b[^>]*\bname="([^"]+)"(?:[^>]*\bvalue="([^"]*)")?')
CHOICES = re.compile(r'<select\b[^>]*\bname="([^"]+)".*?</select>', re.DOTALL)
OPTION = re.compile(r'<option\b[^>]*\bvalue="([^"]*)"')
LINK = re.compile(r'(?:href|hx-get|action)="([^"]+)"')
PARTS: tuple[dict[str, str], ...] = (
    {},
    {"HX-Request": "true"},
    {"HX-Request": "true", "HX-Trigger-Name": "engine"},
    {"HX-Request": "true", "HX-Target": "results"},
    {"HX-Request": "true", "HX-History-Restore-Request": "true"},
)


class Answer(NamedTuple):
    status: int
    kind: str
    body: bytes


class Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None


Ask = Callable[[Request], Answer]
Values = dict[str, set[str]]


def parameters(ask: Ask) -> dict[str, Values]:
    """Page -> parameter -> values that its own forms and links give it."""
    found: dict[str, Values] = {}
    for page in PAGES:
        answer = ask(Request("GET", f"/en/{page}"))
        assert answer.status == 200, f"{answer.status} for {page}"
        text, values = answer.body.decode("utf-8", "replace"), defaultdict(set)
        for name, value in CONTROL.findall(text):
            values[unescape(name)].add(unescape(value))
        for choices in CHOICES.finditer(text):
            values[unescape(choices[1])] |= {unescape(value) for value in OPTION.findall(choices[0])}
        for link in LINK.findall(text):
            for name, value in parse_qsl(urlsplit(unescape(link)).query):
                values[name].add(value)
        found[page] = dict(values)
    return found


def merged(known: dict[str, Values]) -> Values:
    """Of all pages together, and what stands in paths."""
    found: Values = defaultdict(set, {"model": {MODEL}, "card": {CARD}, "benchmark": {"mmlu", "mmlu-pro"}})
    for values in known.values():
        for name, given in values.items():
            found[name] |= given
    return found


ODD = (
    "",
    "-1",
    "0",
    "1e9",
    "nan",
    "inf",
    "☃",
    "\x00",
    "9" * 30,
    "x" * 3000,
    "0x10",
    "１２",
    "1_000",
    "true",
    "[]",
    "..",
    "%",
)
unknown = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=30),
    st.integers().map(str),
    st.integers(0, 2**21).map(str),
    st.floats().map(str),
    st.binary(max_size=12),
)


def requests(known: dict[str, Values]) -> st.SearchStrategy[Request]:
    everywhere = sorted({name for values in known.values() for name in values})
    pages = [_get(page, known[page], everywhere) for page in known]
    missing = st.builds(_missing, st.sampled_from(MISSING), unknown)
    outside = st.builds(_outside, st.sampled_from(OUTSIDE), unknown, st.sampled_from(["", "en", "zh", "*", "x" * 99]))
    return st.one_of(*pages, *pages[:2], missing, outside, pasted(), logged())


def _get(page: str, values: Values, everywhere: list[str]) -> st.SearchStrategy[Request]:
    def asked(name: str) -> st.SearchStrategy[tuple[str, Any]]:
        given = sorted(values.get(name, ()))
        return st.tuples(st.just(name), st.one_of(st.sampled_from(given), unknown) if given else unknown)

    names = st.sampled_from(sorted(values) or everywhere) | st.sampled_from(everywhere)
    queries = st.lists(names.flatmap(asked), max_size=7)
    return st.builds(_page, st.just(page), queries, st.sampled_from(["en", "zh-hans"]), st.sampled_from(PARTS))


def _page(page: str, query: list[tuple[str, Any]], language: str, part: Mapping[str, str]) -> Request:
    added = urlencode(query)
    return Request(
        "GET", f"/{language}/{page}{'&' if '?' in page else '?'}{added}" if added else f"/{language}/{page}", part
    )


def _missing(pattern: str, value: Any) -> Request:
    return Request("GET", "/en/" + pattern.format(urlencode({"": value})[1:]))


def _outside(path: str, value: Any, languages: str) -> Request:
    return Request("GET", f"{path}?{urlencode({'q': value})}", {"Accept-Language": languages})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from([0, 1, 2, 64, 4096]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _configs() -> list[dict[str, Any]]:
    folder = ROOT / "catalog" / "data" / "models"
    names = ("meta/llama-4-scout-instruct", "deepseek/deepseek-v3", "liquid/lfm2-1-2b", "openai/gpt-oss-20b")
    return [json.loads((folder / name / "config.json").read_text(encoding="utf-8")) for name in names]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A published config.json, some of whose keys are gone or say something else."""
    config = draw(st.sampled_from(_configs()))
    config = json.loads(json.dumps(config))
    for _change in range(draw(st.integers(0, 3))):
        inner = draw(
            st.sampled_from([config, *(value for value in config.values() if isinstance(value, dict) and value)])
        )
        key = draw(st.sampled_from(sorted(inner) or ["model_type"]))
        if draw(st.booleans()):
            inner.pop(key, None)
        else:
            inner[key] = draw(json_values)
    return json.dumps(config)


def _posted(path: str, **fields: Any) -> Request:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", path, kind, urlencode(fields).encode())


def pasted() -> st.SearchStrategy[Request]:
    text = damaged() | st.text(max_size=60) | json_values.map(json.dumps)
    engine = st.sampled_from(["llama.cpp", "vllm", "sglang", "mlx", "transformers", ""])
    return st.builds(
        lambda config, engine, context: _posted("/en/calculator/", config=config, engine=engine, context=context),
        *(text, engine, st.sampled_from(["8192", "131072", ""]) | unknown),
    )


def logged() -> st.SearchStrategy[Request]:
    """Lines that programs printed, in another order, cut, or with other digits."""
    folder = ROOT / "tests" / "calculator" / "logs" / "samples"
    lines = sorted({line for path in folder.rglob("*.*") for line in path.read_text(encoding="utf-8").splitlines()})
    line = st.sampled_from(lines) | st.text(max_size=40)
    changed = st.builds(lambda text, old, new: text.replace(str(old), new), line, st.integers(0, 9), unknown.map(str))
    log = st.lists(line | changed, max_size=25).map("\n".join)
    return st.builds(lambda text: _posted("/zh-hans/check/", log=text), log)


def judge(request: Request, answer: Answer) -> None:
    """Answered or refused, and in whole."""
    shown = f"{request.method} {request.path[:300]} {dict(request.headers)} {(request.body or b'')[:3000]!r}"
    assert answer.status < 500, f"{answer.status}: {shown}"
    if answer.body.startswith(b"<!doctype html>"):
        assert answer.body.rstrip().endswith(b"</html>"), f"torn: {shown}"
    if answer.kind.startswith("application/json"):
        json.loads(answer.body)
