"""The lines that tell a caller how its request was decided. Pure."""


def debug_lines(route: str, stage: str, target: str, version: str) -> bytes:
    """Return the lines, each ended by CRLF."""
    return (
        f"X-Strangler-Route: {route}\r\nX-Strangler-Stage: {stage}\r\n"
        f"X-Strangler-Target: {target}\r\nX-Strangler-Version: {version}\r\n"
    ).encode()
