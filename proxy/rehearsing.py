"""One write that its service rehearses while its owner performs it: when who is asked, and what comes of it.

The client's request goes its way as if nobody rehearsed it; what does not fit is counted and not rehearsed.
"""

from proxy.capture import Capture
from proxy.families import REHEARSALS
from proxy.metrics import Metrics
from proxy.request_head import RequestHead
from proxy.routes import Route, Upstream
from proxy.shadow import Shadow
from proxy.shadow_job import ShadowJob


class Rehearsing:
    """Bound to one exchange. `asked` once its service was given the rehearsal."""

    __slots__ = ("_job", "_shadow", "asked")

    def __init__(self, shadow: Shadow) -> None:
        self._shadow = shadow
        self._job: ShadowJob | None = None
        self.asked = False

    def recorded(self, words: bytes) -> bytes:
        """Return the head for the control, which is to tell its effects."""
        return self._shadow.recorded(words)

    def ask(self, job: ShadowJob) -> None:
        """Have the service rehearse, beside the control."""
        self._job, self.asked = job, True
        self._shadow.rehearse(job)

    def answered(self, capture: Capture) -> bool:
        """Take the control's whole answer; return whether the service had been asked by then."""
        if self._job is None:  # the control answered before it had the whole request
            return False
        self._shadow.control_answered(self._job, capture.response())
        return True

    def forsaken(self) -> None:
        """There will be no answer to compare with."""
        if self._job is not None:
            self._shadow.forsake(self._job)


def rehearsing(
    shadow: Shadow, metrics: Metrics, head: RequestHead, route: Route, candidate: Upstream
) -> Rehearsing | None:
    """Return the rehearsal of a write, None and counted where its body or one more is too much."""
    if (head.fields.length or 0) > route.fallback.max_body:
        not_rehearsed(metrics, route, "too_large")
    elif not shadow.may_rehearse(route, candidate):
        not_rehearsed(metrics, route, "busy")
    else:
        return Rehearsing(shadow)
    return None


def not_rehearsed(metrics: Metrics, route: Route, why: str) -> None:
    """Count a write that was to be rehearsed."""
    metrics.count(REHEARSALS, (route.name, why))
