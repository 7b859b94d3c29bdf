"""The data files as typed records. Knows no database: `load` reads a folder, checks it, and names every fault."""

from catalog.source.catalogue import SourceCatalogue, load
from catalog.source.faults import Fault, SourceError

__all__ = ["Fault", "SourceCatalogue", "SourceError", "load"]
