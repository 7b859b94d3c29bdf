"""Django's SQLite, for a file that is never made by the way and may be on a medium that cannot be written."""
