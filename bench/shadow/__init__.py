"""Shadowing: what a client notices of copies that go to a fast, a slow and a dead service."""
