"""A soak: everything dies at random while clients check every byte that reaches them."""
