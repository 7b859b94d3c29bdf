"""Which entry a log is of: by the names it prints, and by the shape."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from calculator.catalogue import Recognised
from catalog.models import LanguageModel

SHAPE = ("num_layers", "hidden_size", "num_heads", "num_kv_heads", "num_experts")
"""Columns that a name must not contradict. Vocabularies are padded, so they only rank."""

REPOSITORIES = ("hf_repo", "modelscope_repo", "gguf_repo")

LEAST_SHAPE = 3
"""So many columns agree at least before a shape alone tells a model."""

PARAMETERS_WITHIN = 0.03
"""Printed with three digits; a file may leave out a head or add one."""

SHORTEST_PART = 6
"""A shorter name inside a longer one says nothing: "yi" is in many."""

NOISE = frozenset({"instruct", "it", "chat", "hf", "meta", "base", "gguf", "preview", "v1"})

TUNED = frozenset({"instruct", "it", "chat"})
"""Words of one meaning: of a base and a chat model that bear one name, they tell which was printed."""


@dataclass(frozen=True, slots=True)
class _Entry:
    slug: str
    name: str
    repositories: frozenset[str]
    keys: frozenset[str]
    kinds: frozenset[str]
    columns: Mapping[str, int | None]


def recognise(names: Sequence[str], shown: Mapping[str, int]) -> Sequence[Recognised]:
    """`Catalogue.recognise` over all published entries with a config."""
    agreeing = [entry for entry in _entries() if _agrees(entry, shown)]
    named = sorted(
        ((score, entry) for entry in agreeing if (score := _named(entry, names))[0]),
        key=lambda pair: (pair[0], _of_its_kind(pair[1], names), _closeness(pair[1], shown), pair[1].slug),
        reverse=True,
    )
    if named:
        best = named[0][0]
        told = {2: "repository", 1: "name"}
        return [
            Recognised(slug=entry.slug, name=entry.name, by=told[score[0]]) for score, entry in named if score == best
        ]
    alike = [entry for entry in agreeing if _known(entry, shown) >= LEAST_SHAPE]
    alike.sort(key=lambda entry: (-_closeness(entry, shown), entry.slug))
    return [Recognised(slug=entry.slug, name=entry.name, by="shape") for entry in alike]


def _entries() -> Iterable[_Entry]:
    columns = (*SHAPE, "vocab_size", "total_parameters")
    rows = LanguageModel.objects.published().filter(config__isnull=False).prefetch_related("aliases")
    for row in rows.only("slug", "name", "ollama_tag", *REPOSITORIES, *columns):
        repositories = [repository for name in REPOSITORIES if (repository := getattr(row, name))]
        written = [row.slug, *(name.rpartition("/")[2] for name in repositories), *(a.name for a in row.aliases.all())]
        yield _Entry(
            slug=row.slug,
            name=row.name,
            repositories=frozenset(map(normalise, (*repositories, *filter(None, [row.ollama_tag])))),
            keys=frozenset(key for name in written if (key := _key(name))),
            kinds=frozenset(map(_kind, written)),
            columns={column: getattr(row, column) for column in columns},
        )


def normalise(text: str) -> str:
    """The form in which names are compared: NFKC (full-width letters become plain), lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _key(name: str) -> str:
    """Letters and digits alone, without the words that publishers add and drop.

    >>> _key("Meta-Llama-3.1-8B-Instruct")
    'llama318b'
    """
    return re.sub(r"[^a-z0-9]", "", "".join(word for word in _words(name) if word not in NOISE))


def _kind(name: str) -> str:
    """What a name says of itself: "base", "tuned" or, as most do of one of the two, nothing."""
    words = set(_words(name))
    return "tuned" if words & TUNED else "base" if "base" in words else ""


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z0-9.]+", normalise(name).rpartition("/")[2])


def _of_its_kind(entry: _Entry, names: Sequence[str]) -> bool:
    """Whether a name was printed that says the same of itself as one of the entry's."""
    return any(_kind(name) in entry.kinds for name in names)


def _named(entry: _Entry, names: Sequence[str]) -> tuple[int, int]:
    """(2, 0) for its repository, (1, length) for the longest name of it that stands in one printed, (0, 0) for none."""
    if any(normalise(name) in entry.repositories for name in names):
        return 2, 0
    printed = {key for name in names if (key := _key(name))}
    inside = [
        len(key) + (1 if key in printed else 0)
        for key in entry.keys
        if key in printed or (len(key) >= SHORTEST_PART and any(_stands_in(key, other) for other in printed))
    ]
    return (1, max(inside)) if inside else (0, 0)


def _stands_in(key: str, printed: str) -> bool:
    """Whether a name stands in another, not cut off inside a number: "qwen31" is not in "qwen317b"."""
    at = printed.find(key)
    after = printed[at + len(key) : at + len(key) + 1] if at >= 0 else ""
    return at >= 0 and not (after.isdigit() and key[-1].isdigit())


def _agrees(entry: _Entry, shown: Mapping[str, int]) -> bool:
    """Whether nothing that was printed contradicts the entry; a file may count a prediction layer with the others."""
    for column in SHAPE:
        ours, theirs = entry.columns[column], shown.get(column)
        if ours is None or theirs is None:
            continue
        if column == "num_layers" and 0 <= theirs - ours <= 2:
            continue
        if column == "num_kv_heads" and theirs == 1:  # how GGUF writes latent attention
            continue
        if ours != theirs:
            return False
    ours, theirs = entry.columns["total_parameters"], shown.get("total_parameters")
    return not ours or not theirs or abs(ours - theirs) <= PARAMETERS_WITHIN * max(ours, theirs)


def _known(entry: _Entry, shown: Mapping[str, int]) -> int:
    """How many columns both know, the layers among them."""
    both = [column for column in (*SHAPE, "total_parameters") if entry.columns[column] and shown.get(column)]
    return len(both) if "num_layers" in both and "hidden_size" in both else 0


def _closeness(entry: _Entry, shown: Mapping[str, int]) -> float:
    """Nought is closest: the vocabulary, then the parameters."""
    vocabulary = entry.columns["vocab_size"] or 0
    ours, theirs = entry.columns["total_parameters"] or 0, shown.get("total_parameters", 0)
    apart = abs(ours - theirs) / max(ours, theirs) if ours and theirs else 0.0
    same_vocabulary = not vocabulary or not shown.get("vocab_size") or vocabulary == shown["vocab_size"]
    return -apart - (0 if same_vocabulary else 1)
