"""Every key that a `Term`, a `Note` or a `WorkloadError` may carry, with the names of its values.

The web layer turns each key into a sentence in the reader's language and fills in the values; a test there
checks that no key lacks its sentence. Values are numbers or words of the field (format names, layer kinds).
"""

from __future__ import annotations

TERMS: dict[str, tuple[str, ...]] = {}

NOTES: dict[str, tuple[str, ...]] = {}

ERRORS: dict[str, tuple[str, ...]] = {
    "unknown": ("value", "offered"),
    "not_offered": ("value", "offered"),
    "out_of_bounds": ("value", "least", "most"),
}
