"""A score's `settings`, `basis` and `variant`, and a source's title, in the reader's language.

Knows no database: text in, text out. They are kept word for word as they were read, most of them in a few set phrases
(`phrases.toml`, `sources.toml`). A text is cut at its semicolons, and a clause that is no set phrase at its commas.
What is still unknown stays as the source wrote it.
"""

from catalog.score_settings.phrases import Language
from catalog.score_settings.rendering import Piece, render

__all__ = ["Language", "Piece", "render"]
