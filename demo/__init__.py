"""`make demo`: a real migration of the shop under live traffic, told as it happens."""
