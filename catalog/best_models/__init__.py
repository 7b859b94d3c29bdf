"""Which models are best on the reader's own cards: ranked by a board, judged one by one, each with its command."""
