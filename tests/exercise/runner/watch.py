"""Watching processes end, by descriptors that stay right when a pid is used again."""
import os
import select


class Watch:
    """Notices when one of these processes ends, whoever started it."""

    def __init__(self, pids):
        self.pids, self.fds, self.missing = pids, [], False
        for pid in pids:
            try:
                self.fds.append(os.pidfd_open(pid))
            except ProcessLookupError:
                self.missing = True

    def ended(self, seconds=0.0):
        """Whether one has ended, or does within this time."""
        return self.missing or bool(select.select(self.fds, [], [], seconds)[0])

    def close(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
