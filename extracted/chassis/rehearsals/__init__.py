"""A rehearsal: a write that the service carries out and takes back whole, to tell what it would have done."""
