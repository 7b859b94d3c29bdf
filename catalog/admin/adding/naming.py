"""What the name of a repository, and the models that are there, suggest for a new one. All of it is proposed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.text import slugify
from rapidfuzz import fuzz

from catalog.models import LanguageModel, Organization
from catalog.search.addresses import HUB

OWNED = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
SIZE = re.compile(r"(?:^|[-_ ])(\d+(?:\.\d+)?)([BMT])(?=$|[-_ ])", re.IGNORECASE)
ACTIVE = re.compile(r"(?:^|[-_ ])A(\d+(?:\.\d+)?)([BMT])(?=$|[-_ ])", re.IGNORECASE)
UNITS = {"M": 10**6, "B": 10**9, "T": 10**12}
VARIANTS = {
    "instruct": "instruct",
    "it": "instruct",
    "chat": "chat",
    "base": "base",
    "thinking": "reasoning",
    "reasoning": "reasoning",
}
BEFORE_A_WORD = re.compile(
    r"[-_](?=(?:A?\d+(?:\.\d+)?[BMT]|Instruct|Chat|Base|Thinking|Reasoning|it)(?:$|[-_]))", re.IGNORECASE
)
ALIKE = 60  # of 100: a name that shares less with every neighbour says nothing of its family


def repository_in(text: str) -> tuple[str, bool]:
    """`owner/name` of what was pasted, empty where it names none, and whether it is on ModelScope.

    >>> repository_in("https://huggingface.co/Qwen/Qwen3-0.6B/tree/main")
    ('Qwen/Qwen3-0.6B', False)
    >>> repository_in("modelscope.cn/models/Qwen/Qwen3-0.6B")[1], repository_in("Qwen3")
    (True, ('', False))
    """
    found = HUB.search(text)
    name = found["repository"] if found else text.strip()
    return (name if OWNED.fullmatch(name) else "", "modelscope." in text.lower())


def names(repository: str, on_modelscope: bool) -> dict[str, Any]:
    """Columns of a card that the repository's own name fills. Nothing is asked of the hub."""
    name = re.sub(r"[-_]hf$", "", repository.partition("/")[2], flags=re.IGNORECASE)
    words = re.split(r"[-_ ]", name.lower())
    found: dict[str, Any] = {
        "name": BEFORE_A_WORD.sub(" ", name),
        "slug": slugify(re.sub(r"[._]", "-", name))[:80],
        "variant": next((VARIANTS[word] for word in reversed(words) if word in VARIANTS), ""),
        "modelscope_repo" if on_modelscope else "hf_repo": repository,
    }
    if size := SIZE.search(name):
        found |= {"total_label": _label(size), "total_published": _count(size), "total_basis": "model-name"}
    if active := ACTIVE.search(name):
        found["active_label"] = _label(active)
    elif size:
        found["active_label"] = found["total_label"]
    return {column: value for column, value in found.items() if value}


def _label(size: re.Match[str]) -> str:
    return f"{size[1]}{size[2].upper()}"


def _count(size: re.Match[str]) -> int:
    return round(float(size[1]) * UNITS[size[2].upper()])


def relations(repository: str, model_type: str) -> dict[str, Any]:
    """Organisation, family and licence of the nearest models of the same owner. Rows, where there are any."""
    owner, _slash, name = repository.partition("/")
    siblings = LanguageModel.objects.filter(hf_repo__istartswith=f"{owner}/").select_related("organization")
    organization = _most_common(row.organization for row in siblings.defer("config")) or _organization(owner)
    if organization is None:
        return {}
    found: dict[str, Any] = {"organization": organization}
    near = _nearest(LanguageModel.objects.filter(organization=organization), name, model_type)
    if near is not None:
        licences = {row.licence for row in near.family.models.select_related("licence").defer("config")}
        found |= {"family": near.family}
        if near.modelscope_repo and near.modelscope_repo == near.hf_repo:
            found |= {"modelscope_repo": repository}
        if len(licences) == 1 and None not in licences:
            found |= {"licence": licences.pop()}
    return found


def _nearest(rows: QuerySet[LanguageModel], name: str, model_type: str) -> LanguageModel | None:
    """The model whose name is most like it, among those of its own kind if there are any."""
    kin = rows.filter(config__model_type=model_type)
    known = list((kin if model_type and kin.exists() else rows).select_related("family").defer("config"))
    wanted = slugify(name.replace(".", "-"))
    best = max(known, key=lambda row: fuzz.ratio(row.slug, wanted), default=None)
    return best if best is not None and fuzz.ratio(best.slug, wanted) >= ALIKE else None


def _organization(owner: str) -> Organization | None:
    return Organization.objects.filter(slug=slugify(owner)).first()


def _most_common(rows: Iterable[Any]) -> Any:
    counted = Counter(rows).most_common(1)
    return counted[0][0] if counted else None
