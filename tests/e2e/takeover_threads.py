"""Threads that run beside a test until its block ends."""

import threading
from typing import Self


class Threads:
    """So many threads that `run` until the block ends; what one of them raised is raised then."""

    def __init__(self, number: int) -> None:
        self._stop = threading.Event()
        self._fault: BaseException | None = None
        self._threads = [threading.Thread(target=self._safely, args=(each,)) for each in range(number)]

    def run(self, number: int) -> None:
        """Do what this kind of thread does, until `_stop` is set."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._fault is not None:
            raise self._fault

    def _safely(self, number: int) -> None:
        try:
            self.run(number)
        except BaseException as fault:
            self._fault = fault
