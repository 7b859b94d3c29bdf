"""Rows of one kind as a table: CSV, JSON or TOML, out and in again. What comes in is checked by the rules of the data
files and merged field by field, which django-import-export would have to be taught for every kind."""
