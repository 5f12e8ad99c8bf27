"""Pairs of JSON answers compared a second on one core, beside deepdiff and jsondiff on the same bodies."""
