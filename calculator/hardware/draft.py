"""A draft model in a launch command: the program is told to let it guess ahead."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

from calculator.hardware.launch import Command, Source, file_name
from calculator.memory import Note

PLACEHOLDER = "organisation/draft-model"
GUESSED_TOKENS = 5
"""Of the example in vLLM's docs/features/speculative_decoding/draft_model.md; the other programs have a default."""


def with_draft(command: Command, draft: Source, weight_format: str) -> Command:
    """`command` with the draft model `draft`, whose weights are stored in `weight_format`.

    llama.cpp: common/arg.cpp (`--spec-type`, `--spec-draft-model`); transformers: `GenerationMixin.generate`
    (`assistant_model`). A program that takes no draft model gets a note that says so.
    """
    repository = draft.quantised or draft.repository or PLACEHOLDER
    placeholders = (PLACEHOLDER,) if repository == PLACEHOLDER else ()
    if command.key == "llama-server":
        file = file_name(draft.name, weight_format)
        options = ("--spec-type", "draft-simple", "--spec-draft-model", file, "--spec-draft-ngl", "all")
        return _extended(command, f" {shlex.join(options)}", (file,))
    if command.key == "vllm":
        asked = {"model": repository, "num_speculative_tokens": GUESSED_TOKENS, "method": "draft_model"}
        return _extended(command, f" {shlex.join(('--speculative-config', json.dumps(asked)))}", placeholders)
    if command.key == "transformers":
        imports, *lines, generate = command.text.splitlines()
        if "AutoModelForCausalLM" not in imports:  # the large model reads images, a draft only writes
            imports = imports.replace(" import ", " import AutoModelForCausalLM, ")
        lines.insert(0, imports)
        lines.append(f'draft = AutoModelForCausalLM.from_pretrained({repository!r}, dtype="auto", device_map="auto")')
        lines.append(f"{generate.removesuffix(')')}, assistant_model=draft)")
        return _extended(replace(command, text="\n".join(lines)), "", placeholders)
    if command.key == "modelfile":
        return replace(command, notes=(*command.notes, Note("ollama_no_draft")))
    return command


def _extended(command: Command, text: str, placeholders: tuple[str, ...]) -> Command:
    names = dict.fromkeys((*command.placeholders, *placeholders))
    return replace(command, text=command.text + text, placeholders=tuple(names))
