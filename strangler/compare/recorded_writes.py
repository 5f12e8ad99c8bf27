"""Turn rehearsed writes into lines of a corpus, each with what the control answered and wrote. Pure.

Secrets are masked as in all of a corpus. A write with one in its body would be another write then: it is left
out.
"""

from collections.abc import Iterable, Iterator

import msgspec

from proxy.pairs import Pair, Response
from strangler.compare import case_files
from strangler.compare.circumstances import circumstances_of
from strangler.compare.corpus import Answered, Asked, without_secrets


def recorded_writes(pairs: Iterable[Pair]) -> Iterator[Asked]:
    """Yield every write that can be rehearsed again, in the order given."""
    for pair in pairs:
        asked = without_secrets(pair.request)
        answered = _answered(pair)
        if pair.rehearsed and answered and asked.request.body == pair.request.body:
            yield msgspec.structs.replace(asked, answered=answered)


def _answered(pair: Pair) -> Answered | None:
    control = case_files.masked_answer(pair.control_answer)
    if not isinstance(control, Response) or control.truncated:
        return None
    try:
        body = control.body.decode()
    except UnicodeDecodeError:
        return None
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in control.headers)
    role = circumstances_of(pair).role
    return Answered(role, pair.control_at or pair.at, control.status, headers, body)
