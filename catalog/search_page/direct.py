"""The page that answers a question as a whole: which models are best in so much memory."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from calculator.hardware.cards import GIB
from catalog.model_list.forms import RANK
from catalog.models import LanguageModel
from catalog.ranking.scope import OVERALL
from catalog.search import Answer, Kind, Wish, find, found, wish
from catalog.search_page.groups import Line
from catalog.standings import board_label, newest

OWNERS: tuple[Kind, ...] = ("family", "organization")


@dataclass(frozen=True, slots=True)
class Direct:
    """`line` leads to the answer, if there is one; `entries` are what else is found, by `words`."""

    line: Line | None
    words: str
    entries: Answer


def direct(text: str) -> Direct:
    """A memory alone: a board narrowed to it, then the cards that hold so much. With a maker or a family: its models.

    Whoever names a model or a card beside a memory is answered as anybody who names one: words of a wish are left out
    only where nothing is found by all that was said.
    """
    asked = wish(text)
    if asked is None:
        return Direct(None, text, find(text, partly=True))
    if not asked.words:
        cards = f"{asked.memory}GB"
        return Direct(_on_a_board(asked), cards, find(cards, "accelerator"))
    if (whole := find(text)).tiers:
        return Direct(None, text, whole)
    said, wanted = find(asked.named), find(asked.words)
    if said.first not in (None, wanted.first):
        return Direct(_of_one_maker(asked, asked.named, said), asked.named, said)
    if wanted.tiers:
        return Direct(_of_one_maker(asked, asked.words, wanted), asked.words, wanted)
    return Direct(None, text, find(text, partly=True))


def _on_a_board(asked: Wish) -> Line:
    board = asked.board if asked.board in newest() else OVERALL.key
    narrowed = {"memory": asked.memory} | ({"board": board} if board != OVERALL.key else {})
    name = _("Best models in %(memory)s GB") % {"memory": asked.memory}
    return Line(name, f"{reverse('catalog:leaderboards')}?{urlencode(narrowed)}", board_label(board))


def _of_one_maker(asked: Wish, words: str, answer: Answer) -> Line | None:
    """Models of a family or an organisation, the best first; None where it is neither, or none of them is so small."""
    if answer.read_as or answer.first is None or answer.first.kind not in OWNERS:
        return None
    small = LanguageModel.objects.published().fitting(int(asked.memory_gb * GIB))
    if not found(small, "model", words).exists():
        return None
    order = {"sort": f"{RANK}{asked.board}"} if asked.board in newest() else {}
    narrowed = {"q": words, "memory": asked.memory} | order
    name = _("“%(words)s” in %(memory)s GB") % {"words": words, "memory": asked.memory}
    return Line(name, f"{reverse('catalog:model_list')}?{urlencode(narrowed)}", _("Models, best first"))
