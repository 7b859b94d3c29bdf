"""The list of accelerators, and the page of one: what the card is, and which models run on it."""
