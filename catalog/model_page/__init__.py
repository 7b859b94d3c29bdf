"""The page of one model: what it is, with a source behind every fact, and what it takes to run it."""
