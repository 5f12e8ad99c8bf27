"""A body is kept whole or not at all."""

from proxy.kept_body import KeptBody


def test_a_body_is_kept_up_to_its_bound_and_given_back_in_order() -> None:
    kept = KeptBody(10)
    kept.keep(b"12345")
    kept.keep(b"67890")
    assert kept.whole
    assert kept.rewind() == [b"12345", b"67890"]


def test_a_body_that_was_sent_again_is_kept_again() -> None:
    kept = KeptBody(10)
    kept.keep(b"1234567890")
    for part in kept.rewind():
        kept.keep(part)
    assert kept.whole
    assert kept.rewind() == [b"1234567890"]


def test_of_a_body_past_its_bound_nothing_is_kept() -> None:
    kept = KeptBody(10)
    kept.keep(b"1234567890")
    kept.keep(b"1")
    kept.keep(b"2")
    assert not kept.whole
