"""A Hugging Face `config.json` -> the typed shape of the model."""
