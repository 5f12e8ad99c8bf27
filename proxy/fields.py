"""Read the field lines of a head, by the letter of RFC 9112 5. Pure: bytes in, names and values out.

Nothing is repaired: a folded line, a space before the colon, a control byte or a bare CR is refused, for
whoever comes next may read it otherwise.
"""

import re

# RFC 9110 5.6.2 token; 5.5 field-value, of visible characters, obs-text, space and tab
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~\x80-\xff]*)").fullmatch

Field = tuple[bytes, bytes]


class BadField(ValueError):
    """A line is no field line."""


def read_field(line: bytes) -> Field:
    """Return the name and the value of a field line that came without its CRLF. Raises BadField."""
    found = _FIELD(line)
    if found is None:
        raise BadField(line)
    return found[1], found[2].strip(b" \t")


def lines_of(block: bytes) -> list[bytes]:
    """Return the lines of a block whose lines are separated by CRLF, none of an empty one."""
    return block.split(b"\r\n") if block else []
