"""The commands that convert a checkpoint and start `mlx_lm.server` on it.

Options: `mlx_lm/convert.py` and `mlx_lm/server.py` (0.32.2).
"""

from __future__ import annotations

import shlex

from calculator.architecture.mlx import MODES
from calculator.hardware.command import NO_DRAFT_REPOSITORY, Command, WeightSource, repository_of, slug
from calculator.memory import Workload
from calculator.memory.mlx import PIECE
from calculator.memory.mlx.cache import BITS
from calculator.memory.mlx.formats import FORMATS, WIDE
from calculator.memory.mlx.recipes import RECIPES

DECODED_TOGETHER = 32
"""`--decode-concurrency` by default."""


def serve(workload: Workload, source: WeightSource, hub: str) -> tuple[Command, ...]:
    """Conversion, where no repository in the chosen format is known, and the server."""
    weight_format = workload.weight_format or ""
    repository, placeholders = repository_of(source)
    converted = source.quantised is None and weight_format not in (*WIDE, source.native_format)
    made = f"{slug(source.name)}-{weight_format}"
    server = shlex.join(("mlx_lm.server", "--model", made if converted else repository, *_options(workload)))
    text = _from_hub(server, hub)
    if converted:
        convert = shlex.join(
            ("mlx_lm.convert", "--hf-path", repository, "-q", *_how(weight_format), "--mlx-path", made)
        )
        text = f"{_from_hub(convert, hub)} &&\n{server}"
    return (Command(key="mlx", language="shell", text=text, placeholders=placeholders),)


def _options(workload: Workload) -> list[str]:
    """What the estimate takes otherwise than the server does by itself."""
    options: list[str] = []
    if workload.kv_format in BITS:
        options += ["--kv-bits", str(BITS[workload.kv_format or ""]), "--quantized-kv-start", "0"]
    if workload.batched_tokens not in (None, PIECE):
        options += ["--prefill-step-size", str(workload.batched_tokens)]
    if workload.sequences > DECODED_TOGETHER:
        options += ["--decode-concurrency", str(workload.sequences)]
    return options


def _how(weight_format: str) -> tuple[str, ...]:
    """The options of a conversion that makes `weight_format`.

    >>> _how("4bit-g32"), _how("mxfp4"), _how("mixed_4_6")
    (('--q-bits', '4', '--q-group-size', '32'), ('--q-mode', 'mxfp4'), ('--quant-predicate', 'mixed_4_6'))
    """
    if weight_format in RECIPES:
        return ("--quant-predicate", weight_format)
    if weight_format in MODES:
        return ("--q-mode", weight_format)
    spec = FORMATS.get(weight_format, FORMATS["4bit"])  # what the program makes unasked
    group = () if spec.group == MODES["affine"][0] else ("--q-group-size", str(spec.group))
    return ("--q-bits", str(spec.bits), *group)


def _from_hub(text: str, hub: str) -> str:
    """`utils.py` asks ModelScope for what is not a local path."""
    return f"MLXLM_USE_MODELSCOPE=true {text}" if hub == "modelscope" else text


def with_draft(command: Command, draft: WeightSource) -> Command:
    """`--draft-model`: a model of its own guesses, whose words must be the same."""
    repository, placeholders = repository_of(draft, NO_DRAFT_REPOSITORY)
    return command.extended(f" {shlex.join(('--draft-model', repository))}", placeholders)
