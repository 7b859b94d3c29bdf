"""The front page: look up a model, or see what a card can run."""
