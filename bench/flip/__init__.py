"""Flips under load: what clients notice, and how long it takes until the last worker has the new table."""
