"""Atom feeds: models as they are published, ranks as they move."""
