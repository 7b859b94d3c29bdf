"""Pages: read a form, call one thing, render."""
