"""Say what would settle a finding: what to change in the service, or where to look. Only text."""

import json

from strangler.compare import following, noise, rows
from strangler.compare.findings import Finding, Subject
from strangler.compare.rules import SHIPPED
from strangler.compare.store import Found

_OF_DIFFERENCE = {
    "status": "make the service answer the monolith's status for this request",
    "header": "send this field from the service with the monolith's value",
    "type": "write the value with the monolith's JSON type; a Decimal goes as a string",
    "value": "find out which side is right; when both read the same rows, the service computes it otherwise",
    "missing": "add what the service leaves out",
    "extra": "leave out what only the service sends",
    "order": "order the query in the service as the monolith does, with a unique last key",
    "length": "compare the two queries: filters, joins and page sizes",
    "null_vs_missing": "write the key with null, or leave it out, as the monolith does",
    "duplicate_key": "write each key once",
    "precision_lost": "keep all digits: microseconds of a time, integers beyond 2^53, decimals as strings",
    "unicode_form": "store and send the text as it came; do not normalise it",
    "invalid_json": "never write NaN, Infinity or bytes that are not UTF-8 into JSON",
    "error_shape": "register an error handler in the service that answers errors as the monolith does",
    "cookie_attribute": "set the cookie with the monolith's attributes",
    "redirect": "answer with the monolith's status: 308 keeps a POST, 301 does not",
}
_OF_OBSTACLE = {
    "truncated": "the answer passes the proxy's capture cap or broke off",
    "too_deep": "nested deeper than any reader should follow",
    "too_large": "the decoded body is too large to compare",
    "number_too_long": "a number of thousands of digits: send it as a string",
    "decode_error": "the body is not what its Content-Encoding says",
    "malformed_framing": "the answer is not well-formed HTTP",
    "comparer_fault": "a defect of the comparer: its log has the traceback",
    "replication_lag": "the copy was behind; asked again, both sides agree: see strangler takeover status",
    "not_rehearsed": "let the service rehearse: its chassis, and the key that the proxy has",
    "rehearsal_busy": "the rehearsal gave way to a write or to the follower: nothing to mend",
    "already_copied": "the copy had the write before the rehearsal began: nothing to mend, ask again",
    "copy_behind": "earlier writes were not copied yet, which may be all: see strangler takeover status",
    "effects_missing": "have this side tell its effects: the key that the proxy has, and strangler.django",
    "effects_not_captured": "begin to capture the group's tables: strangler takeover start GROUP --execute",
    "effects_not_atomic": "run the view in one transaction: ATOMIC_REQUESTS",
    "effects_too_large": "the request writes more than an answer's header can tell",
    "effects_failed": "this side could not tell its effects: its log has why",
    "effects_unreadable": "this side tells its effects in another form than the comparer knows",
}
_RULES = {rule.name: rule.why for rule in SHIPPED} | {noise.NAME: noise.WHY, following.NAME: following.WHY}
_RULES |= {rows.ID_MAP: rows.WHY}


_RULES_OF_KIND = {
    "value": "ignore = true",
    "precision_lost": "ignore = true",
    "unicode_form": "ignore = true",
    "order": "unordered = true",
    "header": "ignore = true",
}


def settling_verb(finding: Finding) -> str:
    """Return what a rule at the difference's path would say; empty where none should, or none can."""
    return _RULES_OF_KIND.get(finding.name, "") if finding.subject is Subject.DIFFERENCE else ""


def settling_rule(found: Found) -> str:
    """Return the rule that would forgive a difference, to paste."""
    finding = found.finding
    verb = settling_verb(finding)
    if not verb:
        return ""
    return (
        f'[[rules]]\nname = "…"\nroute = {json.dumps(found.route)}\n'
        f'path = {json.dumps(finding.pattern, ensure_ascii=False)}\n{verb}\nreason = "…"\nowner = "…"'
    )


def remedy(finding: Finding) -> str:
    """Return one line; empty when there is nothing to say."""
    if finding.subject is Subject.DIFFERENCE:
        return _OF_DIFFERENCE.get(finding.name, "")
    if finding.subject is Subject.OBSTACLE:
        return _OF_OBSTACLE[finding.name]
    if finding.subject is Subject.OUTAGE:
        return f"see the log of the {finding.pattern}"
    return _RULES.get(finding.name, "")
