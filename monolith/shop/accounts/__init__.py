"""Who the people are: users, their addresses, how they sign in. Knows nothing of what they buy."""
