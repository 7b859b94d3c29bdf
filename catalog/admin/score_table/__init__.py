"""The scores of a benchmark, or of a model, as one table: edited in place, with rows for new ones."""
