"""Read a query string as Django's QueryDict does. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class QueryParams:
    """The parameters of one request; of a name given twice the last value counts, as in Django."""

    values: Mapping[str, str]

    @classmethod
    def parse(cls, raw: bytes) -> "QueryParams":
        """Read `raw` as UTF-8, or as Latin-1 where it is not; bad percent escapes become U+FFFD."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("iso-8859-1")
        return cls(dict(parse_qsl(text, keep_blank_values=True)))

    def get(self, name: str) -> str | None:
        """Return the value of `name`, or None."""
        return self.values.get(name)
