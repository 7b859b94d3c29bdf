"""Contradictions between the facts of a card, its config.json and its chip, in the editor's language."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.source.facts import Finding

TEXTS: Mapping[str, Promise] = {
    "unreadable": _("config.json cannot be read: %(error)s"),
    "unread_without_config": _("There is no config.json that could be kept unread."),
    "unread_but_readable": _("The calculator reads this config.json: it need not be kept unread."),
    "total": _(
        "%(stated)s is stated, config.json gives %(config)s (%(share)s). Correct it, or explain both in the note."
    ),
    "context": _(
        "%(stated)s is stated, config.json has %(config)s positions. Correct it, or explain both in the note."
    ),
    "label": _("%(number)s is not what the label %(label)s says."),
    "active_above_total": _("%(active)s active parameters are more than all %(total)s."),
    "extended_not_longer": _("%(extended)s is not longer than the context of %(context)s."),
    "cutoff_after_release": _("The knowledge cutoff %(cutoff)s is after the release on %(release)s."),
    "figure": _("The calculator has no figure %(figure)s for this model."),
    "heads_not_divisible": _("%(heads)s query heads do not divide among %(kv_heads)s key/value heads."),
    "active": _("%(stated)s is stated; by config.json one token of text reads %(config)s."),
    "computed_where_all_work": _("By config.json a token reads all parameters, so the active count is the total."),
    "all_where_some_rest": _("By config.json a token does not read all parameters."),
    "attention": _("“%(words)s” must be named if, and only if, config.json has such layers."),
    "gguf_of_no_engine": _("GGUF files are listed, but llama.cpp does not run this model."),
    "ollama_apart": _("Ollama runs what llama.cpp does not: say so in the descriptions of both languages."),
    "format_rated": _("A rate in %(format)s is given, so the card computes in it."),
    "format_present": _("%(architecture)s computes in %(format)s."),
    "format_absent": _("%(architecture)s does not compute in %(format)s."),
}


def text(finding: Finding) -> str:
    return str(TEXTS[finding.reason]) % finding.values
