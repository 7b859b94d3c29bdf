"""The list of models: search, filters and order in one plain form. Other lists filter by the same questions."""
