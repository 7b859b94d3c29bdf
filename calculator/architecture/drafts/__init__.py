"""Kinds of draft heads, each read from its config."""
