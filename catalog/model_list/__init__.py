"""Lists of models: all of them, searched and filtered, and those of an organisation or a family."""
