"""Falling back: what clients pay when a service fails and the monolith answers; which writes happen twice."""
