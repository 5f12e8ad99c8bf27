"""What a service tells others of itself: written with the change in one transaction, passed on after it."""
