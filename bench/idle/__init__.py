"""Idle connections: what a proxy spends on clients who keep a connection and say nothing."""
