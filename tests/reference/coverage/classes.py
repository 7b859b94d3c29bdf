"""Which classes files of a model type name: `python -m tests.reference.coverage.classes > .../memory/classes.json`.

transformers' automatic classes of what writes text, and those of code that lies beside the weights.
"""

from __future__ import annotations

import json
import sys

from calculator.architecture.families import FAMILIES
from calculator.architecture.towers import TOWERS
from calculator.architecture.wrappers import TEXT_TYPES
from tests.reference.coverage.known import KNOWN, MORE_CLASSES, OWN_CLASSES


def classes_by_type() -> dict[str, list[str]]:
    """Of every model type that is read."""
    found: dict[str, set[str]] = {name: set(classes) for name, classes in MORE_CLASSES.items()}
    for name, row in KNOWN["transformers"]["types"].items():
        found.setdefault(name, set()).update(row.get("classes", ()))
    for name, model_type in OWN_CLASSES.items():
        found.setdefault(model_type, set()).add(name)
    for whole, text in TEXT_TYPES.items():
        if text.endswith("_text"):  # of this whole alone
            found.setdefault(text, set()).update(found.get(whole, ()))
    return {name: sorted(found[name]) for name in sorted({*FAMILIES, *TOWERS}) if found.get(name)}


if __name__ == "__main__":
    json.dump(classes_by_type(), sys.stdout, indent=1)
    print()
