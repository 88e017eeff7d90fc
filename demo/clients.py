"""Legitimate clients of tallyd: each has a conversation again and again, and knows every answer byte for byte. A request that gets no answer, or a
wrong one, is lost; a client whose connection broke connects again at once."""
import threading, time

from lines import Connection

CONVERSATION = [
    (b"BASE 10", b"ok"), (b"SET 3 0", b"ok"), (b"SET 0 17", b"ok"), (b"SET 1 25", b"ok"), (b"SET 7 -5", b"ok"), (b"ADD 0 1", b"ok"), (b"GET 0", b"42"),
    (b"TOTAL", b"62"), (b"BASE 16", b"ok"), (b"GET 0", b"0x2a"), (b"BASE 8", b"ok"), (b"GET 1", b"031"), (b"BASE 10", b"ok"),
    (b"QUOTE plain text", b"plain text"), (b"QUOTE a<b & c", b"a&lt;b &amp; c"), (b"QUOTE " + b"y" * 300, b"y" * 300),
    (b"GET 9", b"error register"), (b"BASE 7", b"error base"), (b"NOISE", b"error command"), (b"SET 3 1000000", b"ok"), (b"GET 3", b"1000000"),
]
TURNS_PER_CONNECTION = 25
PAUSE = 0.01    # seconds between conversations: clients, not a load test
AGAIN = 0.02    # seconds until the next try to connect


class Client(threading.Thread):
    def __init__(self, port, counts):
        super().__init__(daemon=True)
        self.port, self.counts, self.ending = port, counts, threading.Event()

    def converse(self, connection):
        for line, want in CONVERSATION:
            got = connection.ask(line)
            self.counts.add(right=got == want, wrong=got != want)

    def connected(self):
        connection = Connection(self.port)
        for _ in range(TURNS_PER_CONNECTION):
            if self.ending.is_set():
                break
            self.converse(connection)
            time.sleep(PAUSE)
        connection.close()

    def run(self):
        while not self.ending.is_set():
            try:
                self.connected()
            except ConnectionRefusedError:
                self.counts.add(refused=1)
                time.sleep(AGAIN)
            except OSError:
                self.counts.add(lost=1)
                time.sleep(AGAIN)


class Counts:
    """right, wrong: answers; lost: requests without an answer; refused: connections while no server listened."""
    def __init__(self):
        self.lock, self.right, self.wrong, self.lost, self.refused = threading.Lock(), 0, 0, 0, 0

    def add(self, **more):
        with self.lock:
            for name, number in more.items():
                setattr(self, name, getattr(self, name) + number)

    def snapshot(self):
        with self.lock:
            return {name: getattr(self, name) for name in ("right", "wrong", "lost", "refused")}


class Clients:
    def __init__(self, port, number=4):
        self.counts = Counts()
        self.threads = [Client(port, self.counts) for _ in range(number)]
        for t in self.threads:
            t.start()

    def stop(self):
        for t in self.threads:
            t.ending.set()
        for t in self.threads:
            t.join()
        return self.counts.snapshot()
