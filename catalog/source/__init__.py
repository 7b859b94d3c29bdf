"""The data files as typed records. Knows no database: `load` reads a folder, checks it, and names every fault."""

from catalog.source.catalogue import Catalogue, load
from catalog.source.faults import Fault, SourceError

__all__ = ["Catalogue", "Fault", "SourceError", "load"]
