"""Scores as a table of one's own: the records of the data files, a row each, out and in again."""
