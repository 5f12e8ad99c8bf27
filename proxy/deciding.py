"""Decide one request of a route: by its stage, and by its client's cohort, pin and claim. Asks nobody.

What a client may claim is that it be answered by one side. A claim never chooses where a write goes.
"""

import os
import time
from random import Random

from proxy import claims, cohort, families
from proxy.claims import Purpose
from proxy.decide import Choices, Decision, Router, decide
from proxy.metrics import Metrics
from proxy.own_cookies import COHORT
from proxy.pins import Pins
from proxy.request_head import RequestHead
from proxy.routes import MONOLITH, Route, Stage


class Course:
    """How one request goes, and what that hung on."""

    __slots__ = ("bucket", "claimed", "decision", "minted", "pinned")

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.bucket: int | None = None  # where the route is a canary
        self.minted = b""  # the cookie's value by which the client is known from now on
        self.pinned = False  # it wrote a moment ago, and reads where it wrote
        self.claimed = False  # the client chose, as it may


class Decider:
    """One worker's. Knows the secret that keys cohorts and signs claims."""

    def __init__(
        self, secret: bytes, session_cookie: bytes, pins: Pins, random: Random, metrics: Metrics
    ) -> None:
        self._secret = secret
        self._session_cookie = session_cookie
        self._pins = pins
        self._random = random
        self._metrics = metrics

    def course(
        self, router: Router, route: Route, head: RequestHead, *, safe: bool, user: bytes = b""
    ) -> Course:
        """Return how a request goes. `user`: who sent it, where that is known already."""
        options = router.choices(route)
        if not safe:
            draw = self._random.random() * 100 if options.rehearse_percent else 0.0
            return Course(decide(options, safe=False, bucket=None, draw=draw))
        fields = head.fields
        if fields.target and (chosen := self._chosen(router, route, options, fields.target)) is not None:
            course = Course(chosen)
            course.claimed = True
            return course
        if options.copies and self._reads_from_owner(route, head):
            course = Course(options.owner)
            course.pinned = True
            return course
        bucket: int | None = None
        minted = b""
        if options.below:
            bucket, minted = self._bucket(route.group, head, user)
        draw = self._random.random() * 100 if options.shadow_percent else 0.0
        course = Course(decide(options, safe=True, bucket=bucket, draw=draw))
        course.bucket, course.minted = bucket, minted
        return course

    def asks_first(self, route: Route, *, safe: bool) -> bool:
        """Return whether who sent a request decides where it goes."""
        return safe and route.stage is Stage.CANARY

    def may_debug(self, claim: bytes) -> bool:
        """Return whether a client may see how its request was decided."""
        return self._believed(Purpose.DEBUG, claim) is not None

    def _chosen(self, router: Router, route: Route, options: Choices, claim: bytes) -> Decision | None:
        said = self._believed(Purpose.TARGET, claim)
        if said == MONOLITH:
            return None if route.stage is Stage.RETIRED else router.default
        return options.inside if said == "service" else None

    def _believed(self, purpose: Purpose, claim: bytes) -> str | None:
        """Return what a claim says, None and counted where its signature or its time is not right."""
        said = claims.believed(self._secret, purpose, claim, time.time())
        if said is None:
            self._metrics.count(families.FORGERIES, (purpose.value,))
        return said

    def _reads_from_owner(self, route: Route, head: RequestHead) -> bool:
        seconds = route.pin.seconds
        return self._pins.hold(route.group, head.fields, seconds) or self._pins.suspended(
            route.group, seconds
        )

    def _bucket(self, group: str, head: RequestHead, user: bytes) -> tuple[int, bytes]:
        """Return a client's bucket in a group, and the cookie minted for it (empty if it had a key)."""
        fields, minted = head.fields, b""
        key = cohort.cohort_key(
            self._secret, fields.cookies, self._session_cookie, fields.authorization, user
        )
        if key is None:  # the new key counts for this very request
            minted = cohort.mint(self._secret, os.urandom(16))
            key = cohort.cohort_key(self._secret, COHORT + b"=" + minted, self._session_cookie)
            assert key is not None
        return cohort.bucket(self._secret, group, key), minted
