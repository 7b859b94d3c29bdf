"""The commands that convert a checkpoint and start `mlx_lm.server` on it.

Options: `mlx_lm/convert.py` and `mlx_lm/server.py` (0.32.2).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace

from calculator.hardware.command import DTYPES, NO_DRAFT_REPOSITORY, Command, WeightSource, repository_of, slug
from calculator.memory import Workload
from calculator.memory.mlx.cache import QUANTISED_KV

MODES: Mapping[str, tuple[str, ...]] = {
    "mxfp8": ("--q-mode", "mxfp8"),
    "mxfp4": ("--q-mode", "mxfp4"),
    "nvfp4": ("--q-mode", "nvfp4"),
}


def serve(workload: Workload, source: WeightSource, hub: str) -> tuple[Command, ...]:
    """Conversion, where no repository in the chosen format is known, and the server."""
    weight_format = workload.weight_format or ""
    repository, placeholders = repository_of(source)
    wide = DTYPES.get(weight_format.upper())
    converted = source.quantised is None and wide is None
    options = ["mlx_lm.server", "--model", f"{slug(source.name)}-{weight_format}" if converted else repository]
    if (bits := QUANTISED_KV.get(workload.kv_format or "")) is not None:
        options += ["--kv-bits", str(bits)]
    server = Command(key="mlx", language="shell", text=shlex.join(options), placeholders=placeholders)
    if not converted:
        return (replace(server, text=_from_hub(server.text, hub)),)
    how = MODES.get(weight_format) or ("--q-bits", weight_format.removesuffix("bit"))
    convert = shlex.join(("mlx_lm.convert", "--hf-path", repository, "-q", *how, "--mlx-path", options[2]))
    text = f"{_from_hub(convert, hub)} &&\n{server.text}"
    return (replace(server, text=text),)


def _from_hub(text: str, hub: str) -> str:
    return f"MLXLM_USE_MODELSCOPE=true {text}" if hub == "modelscope" else text


def with_draft(command: Command, draft: WeightSource) -> Command:
    """`--draft-model`: a model of its own guesses, whose words must be the same."""
    repository, placeholders = repository_of(draft, NO_DRAFT_REPOSITORY)
    return command.extended(f" {shlex.join(('--draft-model', repository))}", placeholders)
