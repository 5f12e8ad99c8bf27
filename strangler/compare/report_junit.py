"""Write a report as JUnit XML, for a build server. Pure: text out.

A suite for each route and stage. Each finding is a case: a difference fails, no answer is an error, what
could not be compared is skipped; what a rule forgave passes.
"""

import re
from xml.etree import ElementTree as ET

from strangler.compare.findings import Subject
from strangler.compare.remedies import remedy
from strangler.compare.report import Report, RouteReport
from strangler.compare.store import Found

_OUTCOMES = {Subject.DIFFERENCE: "failure", Subject.OUTAGE: "error", Subject.OBSTACLE: "skipped"}
# XML 1.0 2.2: characters that no document may hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(report: Report) -> str:
    """Return the document."""
    root = ET.Element("testsuites", name="strangler compare")
    for route in report.routes:
        root.append(_suite(route))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(report: RouteReport) -> ET.Element:
    name = f"{report.route} at {report.stage}"
    cases = [_case(name, found) for found in report.findings]
    if not any(case.find("failure") is not None for case in cases):
        words = f"no difference in {report.compared:,} answers, at most {report.bound:.2%}"
        cases.insert(0, ET.Element("testcase", classname=name, name=words))
    counts = {tag: str(sum(case.find(tag) is not None for case in cases)) for tag in _OUTCOMES.values()}
    suite = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=counts["failure"],
        errors=counts["error"],
        skipped=counts["skipped"],
    )
    suite.extend(cases)
    return suite


def _case(suite: str, found: Found) -> ET.Element:
    finding = found.finding
    case = ET.Element("testcase", classname=suite, name=_xml(f"{finding.name} {finding.pattern}"))
    if outcome := _OUTCOMES.get(finding.subject):
        inner = ET.SubElement(case, outcome, message=_xml(f"{finding.name} in {found.n:,} answers"))
        example = f"strangler compare show {found.example}" if found.example else ""
        inner.text = "\n".join(filter(None, (remedy(finding), example)))
    return case


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
