"""Every error of the proxy itself has one id, one status and a sentence that leaks nothing."""

import re

import pytest

from proxy.errors import ForwardError, RequestRefused


def test_no_two_errors_share_an_id_or_a_sentence() -> None:
    assert len({error.id for error in ForwardError}) == len(ForwardError)
    assert len({error.sentence for error in ForwardError}) == len(ForwardError)


@pytest.mark.parametrize("error", ForwardError)
def test_an_errors_id_is_its_name(error: ForwardError) -> None:
    assert error.id == error.name.lower()


@pytest.mark.parametrize("error", ForwardError)
def test_an_errors_status_says_who_failed(error: ForwardError) -> None:
    clients, upstreams = {400, 404, 405, 408, 431}, {502, 503, 504}
    assert error.status in (upstreams if "upstream" in error.sentence else clients)


@pytest.mark.parametrize("error", ForwardError)
def test_a_sentence_names_no_address_and_no_number(error: ForwardError) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z', -]+\.", error.sentence)
    assert "localhost" not in error.sentence


def test_a_refusal_carries_its_error() -> None:
    assert RequestRefused(ForwardError.BAD_HOST).error is ForwardError.BAD_HOST
