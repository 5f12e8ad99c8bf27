"""Invent a shop of any size, the same one for the same seed. Reads no clock and no global random."""
