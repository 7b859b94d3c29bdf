"""What a reader's words find, of every kind: a page of its own, and suggestions while they are typed."""
