"""How orders are paid, through a provider that can fail. Never stores a card number."""
