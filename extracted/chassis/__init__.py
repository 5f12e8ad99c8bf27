"""What every service shares: the form of an answer as the monolith gives it, and how a service runs.

Knows HTTP, JSON and Django REST framework's words; knows no service and no table.
"""
