"""Which rule reads which model type. To add a model type, add a line to the table of the module it is most like."""

from __future__ import annotations

from calculator.architecture.families import classic, deepseek, dense, hybrid, sparse
from calculator.architecture.families.standard import Family

FAMILIES: dict[str, Family] = {**classic.FAMILIES, **dense.FAMILIES, **hybrid.FAMILIES, **sparse.FAMILIES, **deepseek.FAMILIES}
