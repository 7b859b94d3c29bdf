from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from calculator.figures import gib
from calculator.filters import space
from catalog.models import LanguageModel, Release
from catalog.standings import board_label
from catalog.standings.words import mentions

NEWEST = 50


class _Atom(Feed):
    feed_type = Atom1Feed

    def get_feed(self, obj: Any, request: HttpRequest) -> Any:
        """In the reader's language; Django would say that of the settings."""
        self.language = {"zh-hans": "zh-Hans"}.get(get_language() or "", "en")
        return super().get_feed(obj, request)


class NewModels(_Atom):
    title = gettext_lazy("Model Atlas: new models")
    subtitle = gettext_lazy("Open-weight language models, the newest first, with the VRAM each needs")

    def link(self) -> str:
        return reverse("catalog:model_list")

    def items(self) -> Any:
        dated = LanguageModel.objects.published().exclude(release_date="")
        return dated.for_list().order_by("-release_date", "slug")[:NEWEST]

    def item_title(self, item: LanguageModel) -> str:
        return f"{item.name} · {item.organization.name}"

    def item_description(self, item: LanguageModel) -> str:
        if not item.memory_8k_bytes:
            return item.summary
        words = {"basis": item.memory_basis, "memory": gib(item.memory_8k_bytes)}
        return item.summary + space() + _("%(basis)s at 8K context: %(memory)s GiB VRAM.") % words

    def item_pubdate(self, item: LanguageModel) -> datetime:
        """Of a date without a day, or without a month, the first."""
        whole = item.release_date + "-01-01"[len(item.release_date) - 4 :]
        return datetime.combine(date.fromisoformat(whole), time(), UTC)

    def item_updateddate(self, item: LanguageModel) -> datetime:
        return item.updated_at


class RankChanges(_Atom):
    title = gettext_lazy("Model Atlas: changes of rank")
    subtitle = gettext_lazy("Each time new data moved a rank: which models moved, and what moved them")

    def link(self) -> str:
        return reverse("catalog:ranking_changes")

    def items(self) -> Any:
        return Release.objects.exclude(changes=[]).defer("document").order_by("-pk")[:NEWEST]

    def item_title(self, item: Release) -> str:
        count = len(item.changes)
        words = ngettext("%(board)s: %(count)s model moved", "%(board)s: %(count)s models moved", count)
        return words % {"board": board_label(item.scope), "count": count}

    def item_description(self, item: Release) -> str:
        largest = sorted(item.changes, key=_size, reverse=True)[:5]
        models = mentions(move["model"] for move in largest)
        moves = ((models[move["model"]].name, _rank(move["old"]), _rank(move["new"])) for move in largest)
        return _("; ").join(f"{name} {old} → {new}" for name, old, new in moves)

    def item_link(self, item: Release) -> str:
        return f"{reverse('catalog:ranking_changes')}#release-{item.pk}"

    def item_pubdate(self, item: Release) -> datetime:
        return datetime.combine(item.date, time(), UTC)

    item_updateddate = item_pubdate


def _size(move: dict[str, Any]) -> int:
    """How far a model moved; one that entered or left, farther than any other."""
    old, new = move["old"], move["new"]
    return 10**6 if old is None or new is None else abs(old - new)


def _rank(rank: int | None) -> str:
    return str(rank) if rank else _("not ranked")
