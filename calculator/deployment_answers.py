"""What the full calculator answers beside the panel: limits, formats, speed, sets of cards, commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import get_language

from calculator import labels
from calculator.architecture import Shape
from calculator.catalogue import Model
from calculator.deployment_form import DeploymentForm
from calculator.fit_words import FitView, fit_view
from calculator.hardware import (
    Card,
    Command,
    Fit,
    Rule,
    Saving,
    Speed,
    WeightSource,
    fit,
    format_fits,
    largest_context,
    launch_commands,
    least_offload,
    most_sequences,
    prefix_saving,
    speed,
)
from calculator.hardware.speed import RAM_BANDWIDTH_BYTES_PER_S
from calculator.memory import Estimate, Workload, WorkloadError, estimate
from calculator.recommended_cards import Shelf, certainty_text, shelves


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedView:
    speed: Speed
    bound: str
    notes: tuple[str, ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """One command; `label` names the program, `hub` is empty where the command is the same on all."""

    label: str
    hub: str
    command: Command
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCards:
    """What the reader's own cards hold. `fit` counts a draft model and a shared prefix too; None: not even one."""

    fit: FitView
    largest_context: int | None
    most_sequences: int | None
    formats: tuple[FitView, ...]
    speed: SpeedView | None
    offload: Workload | None  # the least that must go to RAM for it to fit
    host_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    on_cards: OnCards | None
    shelves: Sequence[Shelf]
    certainty: str
    commands: tuple[CommandView, ...]
    saving: Saving
    draft: Estimate | None


def answer(model: Model, form: DeploymentForm, cards: Iterable[Card], draft: Model | None = None) -> Answers:
    """All answers for a valid form. A draft model that the engine refuses is an error beside its field."""
    shape, workload = model.shape, form.workload
    saving = prefix_saving(shape, workload, form.cleaned_data.get("shared") or 0)
    guessing = _draft(draft.shape, form) if draft else None
    # On every device: the draft model, less what the prefix saves.
    extra = (guessing.per_card_bytes if guessing else 0) - saving.per_device_bytes
    placed = _placed(shape, form, extra)
    return Answers(
        on_cards=_on_cards(shape, form, placed, extra) if placed else None,
        shelves=shelves(shape, workload, cards),
        certainty=certainty_text(workload.engine),
        commands=tuple(commands(model, workload, placed, draft, guessing)),
        saving=saving,
        draft=guessing,
    )


def _placed(shape: Shape, form: DeploymentForm, extra: int) -> Fit | None:
    if form.chosen_card is None:
        return None
    return fit(shape, form.workload, form.chosen_card, form.num_cards, extra_bytes=extra)


def _draft(shape: Shape, form: DeploymentForm) -> Estimate | None:
    """The draft model beside the large one: same engine, context and users, in its engine's default formats."""
    workload = form.workload
    asked = Workload(engine=workload.engine, context_tokens=workload.context_tokens, sequences=workload.sequences)
    try:
        return estimate(shape, asked)
    except WorkloadError as error:
        form.add_error("draft", labels.error_text(error))
        return None


def _on_cards(shape: Shape, form: DeploymentForm, placed: Fit, extra: int) -> OnCards:
    workload, card, count = form.workload, placed.card, placed.count
    rule: Rule = "tight" if placed.state == "tight" else "fits"
    return OnCards(
        fit=fit_view(placed),
        largest_context=largest_context(
            shape, workload, card, count, rule=rule, extra_bytes=extra, most=form.max_context_tokens
        ),
        most_sequences=most_sequences(shape, workload, card, count, rule=rule, extra_bytes=extra),
        formats=tuple(fit_view(each) for each in format_fits(shape, workload, card, count, extra_bytes=extra)),
        speed=_speed(shape, form, placed) if placed.state != "does_not_fit" else None,
        offload=_offload(shape, workload, placed, extra) if placed.state == "does_not_fit" else None,
        host_bytes=sum(part.bytes for part in placed.estimate.host) if placed.estimate else 0,
    )


def _offload(shape: Shape, workload: Workload, placed: Fit, extra: int) -> Workload | None:
    whole = replace(workload, gpu_layers=None, cpu_expert_layers=0)
    return least_offload(shape, whole, placed.card, placed.count, extra_bytes=extra)


def _speed(shape: Shape, form: DeploymentForm, placed: Fit) -> SpeedView | None:
    found = speed(
        shape,
        placed,
        prompt_tokens=form.prompt_tokens,
        ram_bandwidth_bytes_per_s=form.ram_bytes_per_s or RAM_BANDWIDTH_BYTES_PER_S,
    )
    if found is None:
        return None
    return SpeedView(
        speed=found,
        bound=str(labels.BOUNDS[found.bound]) if found.bound else "",
        notes=tuple(labels.hardware_note_text(note) for note in found.notes),
        prompt_tokens=form.prompt_tokens,
    )


def commands(
    model: Model,
    workload: Workload,
    placed: Fit | None,
    draft: Model | None = None,
    guessing: Estimate | None = None,
) -> Iterator[CommandView]:
    """The commands of each hub, that of the reader's country first unless another's can be copied as they are and its
    own cannot; the same text once. None for cards on which it does not run."""
    if placed is not None and placed.state == "does_not_fit":
        return
    usable = placed if placed is not None and placed.estimate is not None else None
    draft_format = (guessing.workload.weight_format or "") if guessing else ""
    of_hubs: dict[str, Sequence[Command]] = {}
    for hub, source in model.sources:
        drafting = dict(draft.sources).get(hub, WeightSource(name=draft.name)) if draft and guessing else None
        of_hubs[hub] = launch_commands(workload, source, hub=hub, fit=usable, draft=drafting, draft_format=draft_format)
    nearest = "modelscope" if get_language() == "zh-hans" else "huggingface"
    found: dict[str, tuple[str, Command]] = {}
    for hub in sorted(of_hubs, key=lambda each: (_placeholders(of_hubs[each]), each != nearest)):
        for command in of_hubs[hub]:
            found[command.text] = ("" if command.text in found else hub, command)
    for hub, command in found.values():  # most pages show the first alone
        notes = tuple(labels.hardware_note_text(note) for note in command.notes)
        yield CommandView(label=labels.command_name(command.key), hub=hub, command=command, notes=notes)


def _placeholders(commands: Sequence[Command]) -> int:
    """How much a reader has to fill in before the engine's first program starts."""
    return len(commands[0].placeholders) if commands else 0
