"""What clients ask for that no route names: the most frequent path templates, in bounded memory. Pure.

A request costs one count under its path; the paths become templates a few times a second. Of very many
templates the rarest give way (Metwally's space-saving): a frequent one is never lost, a rare one's count may
include those it took the place of.
"""

from proxy.templates import MAX_BYTES, template_of

MAX_PATHS = 1024  # between two digests; more are counted together
MAX_TEMPLATES = 256
OTHERS = ("*", "{rest...}")

Key = tuple[str, str]  # method, path template


class Unmatched:
    """One worker's counts, going on from what the last in its seat had counted."""

    def __init__(self, counted: list[tuple[Key, int]]) -> None:
        self._paths: dict[tuple[bytes, bytes], int] = {}
        self._overflow = 0
        self._templates: dict[Key, int] = dict(counted)

    def note(self, method: bytes, path: bytes) -> None:
        """Count one request that no route named."""
        key = (method, path[:MAX_BYTES])
        paths = self._paths
        if key in paths:
            paths[key] += 1
        elif len(paths) < MAX_PATHS:
            paths[key] = 1
        else:
            self._overflow += 1

    def digest(self) -> None:
        """Turn the paths counted since the last time into templates."""
        paths, self._paths = self._paths, {}
        for (method, path), number in paths.items():
            self._add((method.decode("latin-1"), template_of(path)), number)
        overflow, self._overflow = self._overflow, 0
        if overflow:
            self._add(OTHERS, overflow)

    def most_frequent(self) -> list[tuple[Key, int]]:
        """Return templates with their counts, the most frequent first."""
        self.digest()
        return sorted(self._templates.items(), key=lambda item: (-item[1], item[0]))

    def _add(self, key: Key, number: int) -> None:
        templates = self._templates
        if key not in templates and len(templates) >= MAX_TEMPLATES:
            rarest = min(templates, key=templates.__getitem__)
            number += templates.pop(rarest)
        templates[key] = templates.get(key, 0) + number
