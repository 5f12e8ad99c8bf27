"""How many of each product there are, and who holds some back. Never decides what is for sale."""
