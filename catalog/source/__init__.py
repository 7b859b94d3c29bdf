"""The data files as typed records. Knows no database: `load` reads a folder, checks it, and names every fault."""

from pathlib import Path

from catalog.source.catalogue import SourceCatalogue, load
from catalog.source.faults import Fault, SourceError

SHIPPED = Path(__file__).resolve().parent.parent / "data"

__all__ = ["SHIPPED", "Fault", "SourceCatalogue", "SourceError", "load"]
