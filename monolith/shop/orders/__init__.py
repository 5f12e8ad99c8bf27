"""What was bought: checkout, orders, their history. A placed order never changes its lines or prices."""
