"""What a reader asks of the calculator's page: a model of the catalogue, a pasted config.json, or neither yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from calculator.catalogue import Catalogue, Found, Model, Recognised
from calculator.hardware_form import HARDWARE, flattened
from calculator.memory import ENGINES, llama_cpp
from calculator.pasted_config import Pasted, read_pasted

KEPT = ("engine", "sequences", *HARDWARE)  # what stays when another model is chosen
LONGEST_SEARCH = 100
MOST_RECOGNISED = 4


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The fields are the names that templates read.

    `unknown_model` is a slug that no model has; `pasting` says that a config.json is asked for or was sent; `kept` goes
    with every link to another model. `targets` are those that a pasted draft head may be for; `recognised` are models
    that the name or address of a repository may mean, and `quantised` the engine and format that its tag does.
    """

    query: Mapping[str, str]
    model: Model | None
    pasted: Pasted | None
    unknown_model: str
    pasting: bool
    kept: tuple[tuple[str, str], ...]
    kept_query: str
    panel_url: str
    panel_method: str
    q: str
    recognised: tuple[Recognised, ...] = ()
    targets: tuple[Found, ...] = ()
    quantised: tuple[tuple[str, str], ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether there is no model because of what was sent."""
        return bool(self.unknown_model or (self.pasted and self.pasted.faults))

    @property
    def opened(self) -> str:
        """The query of the model whose own repository was named; empty where none was."""
        first = self.recognised[0] if self.recognised else None
        if first is None or first.by != "repository":
            return ""
        kept = tuple((name, value) for name, value in self.kept if not self.quantised or name != "engine")
        return urlencode((("model", first.slug), *kept, *self.quantised))


def asked_of(request: HttpRequest, catalogue: Catalogue) -> Asked:
    """Read a request for the calculator's page; a POST carries a config.json."""
    pasted = read_pasted(request) if request.method == "POST" else None
    query = flattened(pasted.query if pasted else request.GET)
    slug = "" if pasted else query.get("model", "")
    if not (pasted or slug or query.get("q") or query.get("source") == "config"):
        slug = catalogue.default()  # a calculator that works, rather than a question
    model = pasted.model if pasted else catalogue.model(slug) if slug else None
    kept = tuple((name, query[name]) for name in KEPT if query.get(name))
    return Asked(
        query=query,
        model=model,
        pasted=pasted,
        unknown_model="" if model else slug,
        pasting=pasted is not None or query.get("source") == "config",
        kept=kept,
        kept_query=urlencode(kept),
        panel_url=request.path,
        panel_method="post" if pasted else "get",
        q=query.get("q", "")[:LONGEST_SEARCH],
        recognised=_recognised(pasted, catalogue),
        targets=_targets(pasted, catalogue),
        quantised=_quantised(pasted),
    )


def _recognised(pasted: Pasted | None, catalogue: Catalogue) -> tuple[Recognised, ...]:
    if pasted is None or not pasted.named:
        return ()
    return tuple(catalogue.recognise((pasted.named,), {}))[:MOST_RECOGNISED]


def _targets(pasted: Pasted | None, catalogue: Catalogue) -> tuple[Found, ...]:
    if pasted is None or pasted.head is None:
        return ()
    head = pasted.head.head
    return tuple(catalogue.targets(head.target_hidden_size, head.vocab_size, head.target_layers))


def _quantised(pasted: Pasted | None) -> tuple[tuple[str, str], ...]:
    """llama.cpp, and the preset that a tag such as `Q4_K_M` is; a publisher's own mixture (`UD-Q4_K_XL`) is none."""
    tag = pasted.reference.tag.upper() if pasted and pasted.reference else ""
    if not tag:
        return ()
    engine = next(name for name, engine in ENGINES.items() if engine is llama_cpp)
    return (("engine", engine), *((("weights", tag),) if tag in llama_cpp.PRESETS else ()))
