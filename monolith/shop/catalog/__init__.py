"""What is for sale: categories, products, images, reviews. Knows no stock, cart or order."""
