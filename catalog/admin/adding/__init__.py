"""A new model from its config.json: what the file says, what its name suggests, and what nobody knows yet."""
