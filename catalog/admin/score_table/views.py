"""The list of scores, saved as one table: all lines of the page or none, and what is refused comes back as typed."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.forms import ModelForm, formset_factory, modelform_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.admin.score_table.forms import NewScoreForm, ScoreRowForm
from catalog.admin.score_table.rows import BLANK, NEW, NewScores, ScoreTable, refuse_twins
from catalog.admin.versioned import LOOKING, VersionedAdmin
from catalog.models import Benchmark, LanguageModel, Score

SCOPES: dict[str, type[LanguageModel | Benchmark]] = {"model": LanguageModel, "benchmark": Benchmark}
Scope = dict[str, LanguageModel | Benchmark]
MOST_NEW = 20  # lines of one post


class EditedAsTable(VersionedAdmin):
    change_list_template: Any = "admin/catalog/score_table.html"
    list_editable: Any = ("value", "variant", "mode", "settings", "date", "source", "source_kind")
    # A line sends its id, a tick and for each column the value, what it was, and at worst which of two shall stay: 23
    # fields, and a server takes 1,000 (DATA_UPLOAD_MAX_NUMBER_FIELDS).
    list_per_page = list_max_show_all = 40

    def get_list_display(self, request: HttpRequest) -> list[Any] | tuple[Any, ...]:
        """A column that would say one thing in every line is left out."""
        narrowed = _scope(request)
        return [name for name in super().get_list_display(request) if name not in narrowed]

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The table of one benchmark or model has the width of the page; it is searched."""
        return () if _scope(request) else super().get_list_filter(request)

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> type[ModelForm]:
        return super().get_changelist_form(request, **{"form": ScoreRowForm, **options})

    def get_changelist_formset(self, request: HttpRequest, **options: Any) -> Any:
        return super().get_changelist_formset(request, formset=ScoreTable, **options)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        told = {**_head(_scope(request)), **(extra_context or {})}
        sends_table = "form-TOTAL_FORMS" in request.POST and self.has_change_permission(request)
        if request.method in LOOKING or not sends_table:
            return self._with_new_lines(request, super().changelist_view(request, told))
        saving = "_save" in request.POST
        try:
            with self.create_revision(request):
                table, new = self._sent(request), self._new(request)
                if saving and self._accepted(table, new):
                    self._save_table(request, table, new)
                    return HttpResponseRedirect(request.get_full_path())
                if not saving and not table.has_changed() and not new.has_changed():
                    return super().changelist_view(request, told)  # an action
        except IntegrityError:
            messages.error(request, _("Something changed meanwhile, and nothing was saved. Look again."))
        if not saving:
            told_first = _("Nothing was done: the table holds edits that are not saved yet. Save them first.")
            messages.warning(request, told_first)
        return self._again(request, table, new, told)

    def _sent(self, request: HttpRequest) -> Any:
        """Bound to the rows as they are now, which nobody else changes until they are saved."""
        kind = self.get_changelist_formset(request)
        rows = self._get_list_editable_queryset(request, kind.get_default_prefix())
        rows = rows.select_related(*SCOPES).select_for_update(of=("self",))
        return kind(request.POST, request.FILES, queryset=rows)

    def _new(self, request: HttpRequest) -> Any:
        """New lines: with what was sent, or blank."""
        scope = _scope(request)
        fields = (*SCOPES, *self.list_editable)
        form = modelform_factory(
            Score, NewScoreForm, fields, formfield_callback=partial(self.formfield_for_dbfield, request=request)
        )
        shown = BLANK if scope and self.has_add_permission(request) else 0
        kind = formset_factory(form, NewScores, extra=shown, max_num=MOST_NEW, absolute_max=MOST_NEW)
        sent = request.POST if f"{NEW}-TOTAL_FORMS" in request.POST and shown else None
        return kind(sent, prefix=NEW, form_kwargs={"scope": scope})

    def _accepted(self, table: Any, new: Any) -> bool:
        if not (table.is_valid() and (new.is_valid() or not new.is_bound)):
            return False
        lines = [form for form in table.forms if form.has_changed()] + new.filled
        refuse_twins(lines)
        return all(line.is_valid() for line in lines)

    def _save_table(self, request: HttpRequest, table: Any, new: Any) -> None:
        changed = [form for form in table.forms if form.has_changed()]
        for form in changed:
            row = self._save_line(request, form, change=True)
            self.log_change(request, row, self.construct_change_message(request, form, None))
        for form in new.filled:
            row = self._save_line(request, form, change=False)
            self.log_addition(request, row, self.construct_change_message(request, form, None, add=True))
        told = _("Saved: %(added)s new, %(changed)s changed.")
        messages.success(request, told % {"added": len(new.filled), "changed": len(changed)})

    def _save_line(self, request: HttpRequest, form: Any, *, change: bool) -> Any:
        row = self.save_form(request, form, change=change)
        self.save_model(request, row, form, change=change)
        return row

    def _again(self, request: HttpRequest, table: Any, new: Any, told: dict[str, Any]) -> HttpResponse:
        """The page with what was typed, beside the rows it was typed into: others may have moved to another page."""
        asked = copy(request)
        asked.method = "GET"
        answer = super().changelist_view(asked, told)
        if isinstance(answer, TemplateResponse) and answer.context_data:
            shown = answer.context_data["cl"]
            shown.formset, shown.result_list = table, [form.instance for form in table.forms]
        return self._with_new_lines(request, answer, new)

    def _with_new_lines(self, request: HttpRequest, answer: HttpResponse, new: Any = None) -> HttpResponse:
        if isinstance(answer, TemplateResponse) and answer.context_data and "cl" in answer.context_data:
            lines = self._new(request) if new is None else new
            answer.context_data |= {"new_lines": lines, "media": answer.context_data["media"] + lines.media}
        return answer


def _scope(request: HttpRequest) -> Scope:
    """The benchmark or the model that the list is narrowed to."""
    asked: Any = request
    if not hasattr(asked, "scope_of_scores"):
        found = ((name, kind, request.GET.get(f"{name}__id__exact", "")) for name, kind in SCOPES.items())
        rows = ((name, kind._base_manager.filter(pk=pk).first()) for name, kind, pk in found if pk.isdecimal())
        asked.scope_of_scores = {name: row for name, row in rows if row is not None}
    scope: Scope = asked.scope_of_scores
    return scope


def _head(scope: Scope) -> dict[str, Any]:
    if not scope:
        return {}
    rows: Iterable[Any] = scope.values()
    pages = [(row, reverse(f"admin:catalog_{row._meta.model_name}_change", args=[row.pk])) for row in rows]
    title = _("Scores: %(name)s") % {"name": " · ".join(str(row) for row, _address in pages)}
    return {"title": title, "narrowed_to": pages, "is_nav_sidebar_enabled": False}
