"""A caller who may know is told how its request was decided."""

from proxy.debug import debug_lines


def test_a_decision_is_told_in_four_lines() -> None:
    assert debug_lines("catalog.products", "canary", "catalog", "0123456789ab") == (
        b"X-Strangler-Route: catalog.products\r\nX-Strangler-Stage: canary\r\n"
        b"X-Strangler-Target: catalog\r\nX-Strangler-Version: 0123456789ab\r\n"
    )
