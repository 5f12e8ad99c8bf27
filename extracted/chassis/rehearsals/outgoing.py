"""What leaves the process passes here: sent as ever, and in a rehearsal noted instead.

Mount a `RehearsableAdapter` on every session of requests, hand every mail to `send_mail`.
"""

from collections.abc import Callable
from email.message import EmailMessage
from email.utils import getaddresses
from io import BytesIO
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from extracted.chassis.rehearsals.current import current
from extracted.chassis.rehearsals.effects import Call, Mail

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PATIENCE = 1.0  # seconds: a rehearsal holds locks while it waits
NOTED = 202  # what a caller hears in a rehearsal: taken, and nothing said about it


class RehearsableAdapter(HTTPAdapter):
    """Sends safe requests, for what they answer is needed; in a rehearsal it notes the others."""

    def send(self, request: PreparedRequest, *how: Any, **more: Any) -> Response:
        """Return the answer; in a rehearsal an empty one with status NOTED to what would change something."""
        rehearsal = current()
        if rehearsal is None:
            return super().send(request, *how, **more)
        if request.method in SAFE:
            return super().send(request, *how, **{**more, "timeout": PATIENCE})
        rehearsal.calls.append(Call(str(request.method), str(request.url)))
        return self.build_response(request, HTTPResponse(BytesIO(), status=NOTED, preload_content=False))


def send_mail(message: EmailMessage, deliver: Callable[[EmailMessage], object]) -> None:
    """Have a mail delivered, as by `smtplib.SMTP.send_message`; in a rehearsal note it."""
    rehearsal = current()
    if rehearsal is None:
        deliver(message)
        return
    fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
    to = [address for _, address in getaddresses(fields)]
    rehearsal.mails.append(Mail(to, str(message.get("Subject", ""))))
