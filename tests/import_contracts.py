"""The import contract that `lint-imports` lacks: nothing but the standard library (and named packages of our own)."""

from __future__ import annotations

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class StandardLibraryOnly(Contract):
    """Modules in `packages` import the standard library and each other, nothing else."""

    packages: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        own: set[str] = set()
        for package in self.packages:
            own |= {package} | graph.find_descendants(package)
        foreign = [
            f"{module} imports {imported}"
            for module in sorted(own)
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if imported not in own and imported.partition(".")[0] not in sys.stdlib_module_names
        ]
        return ContractCheck(kept=not foreign, metadata={"foreign": foreign})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["foreign"]:
            output.print_error(line)
