"""Models side by side: which were asked for, and the rows of the table in which they stand."""
