"""The catalog service: categories, products and reviews, taken over from the monolith."""
