"""A model's page as Markdown, and `/llms.txt`: the same facts and figures, for whoever reads text alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _

from calculator.figures import billions, context, gib, grouped
from calculator.memory import WorkloadError, default_workload
from calculator.memory_by_context import table
from catalog.bridge.prose import described
from catalog.bridge.shapes import max_context_tokens, shape_of, why_no_memory
from catalog.model_page import specs
from catalog.model_page.answer import answer
from catalog.model_page.citations import Citations
from catalog.model_page.links import links
from catalog.models import LanguageModel
from catalog.models.vocabulary import modality_words


def model_text(model: LanguageModel, address: str) -> str:
    """`model` as its page loads it; `address` is that of the page."""
    shape, citations = shape_of(model), Citations(model)
    parts = [
        [f"# {model.name}", "", f"<{address}>"],
        [model.summary] if model.summary else [],
        _memory(model),
        [f"## {_('Overview')}", "", *_table((_("Fact"), _("Value")), _facts(model))],
    ]
    for group in specs.groups(model, shape, citations):
        rows = [(str(spec.label), spec.value or _("not disclosed")) for spec in group.specs]
        parts.append([f"## {group.title}", "", *_table((_("Fact"), _("Value")), rows)])
    if model.description:
        parts.append([f"## {_('About %(name)s') % {'name': model.name}}", "", described(model)])
    parts.append([f"## {_('Links')}", "", *(f"- [{link.label}]({link.url})" for link in links(model))])
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _facts(model: LanguageModel) -> Iterator[tuple[str, str]]:
    unknown = _("not disclosed")
    yield _("Organisation"), model.organization.name
    yield _("Family"), model.family.name
    yield _("Total parameters"), _count(model.total_parameters, model.total_label)
    yield _("Active parameters"), _count(model.active_parameters, model.active_label)
    yield _("Context length"), grouped(model.context_tokens) or unknown
    yield _("Input"), str(modality_words(model.input_modalities)) or unknown
    yield _("Output"), str(modality_words(model.output_modalities)) or unknown
    yield _("Licence"), model.licence.name if model.licence else unknown
    yield _("Released"), model.release_date or unknown
    yield _("Knowledge cutoff"), model.knowledge_cutoff or unknown


def _count(value: int | None, label: str) -> str:
    """Counted, or as its publisher rounds it."""
    if value:
        return _("%(value)s (%(kind)s)") % {"value": billions(value), "kind": f"{value:,}"}
    return label or _("not disclosed")


def _memory(model: LanguageModel) -> list[str]:
    """The answer, and the table of formats and contexts as the page shows it."""
    known, shape = answer(model), shape_of(model)
    heading = [f"## {_('VRAM requirements')}", ""]
    if known is None or shape is None:
        return [*heading, why_no_memory(model)]
    longest = max_context_tokens(model, shape)
    try:
        workload = default_workload(shape, longest)
        columns, rows = table(shape, workload, longest or workload.context_tokens)
    except WorkloadError:
        return [*heading, known.sentence]
    head = (_("Quantisation (weight format)"), *(context(tokens) for tokens in columns))
    body = [(row.weight_format, *(f"{gib(cell.bytes)} GiB" for cell in row.cells)) for row in rows]
    return [*heading, known.sentence, "", *_table(head, body)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from (_row(cells) for cells in rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def index_text(models: Iterable[LanguageModel], pages: Iterable[tuple[str, str, str]], more: int) -> str:
    """`/llms.txt` (llmstxt.org), in English: `pages` are (name, address, what for), `more` models are left out."""
    lines = ["# Model Atlas", ""]
    lines += ["> Open-weight language models: facts with sources, and the VRAM each takes to run.", ""]
    lines += ["## Pages", "", *(f"- [{name}]({address}): {words}" for name, address, words in pages), ""]
    lines += ["## Models", ""]
    for model in models:
        memory = f": {gib(model.memory_8k_bytes)} GiB ({model.memory_basis})" if model.memory_8k_bytes else ""
        lines.append(f"- [{model.name}]({model.get_absolute_url().rstrip('/')}.md){memory}")
    if more:
        lines += ["", f"{more:,} more models are in the API."]
    return "\n".join(lines).rstrip() + "\n"
