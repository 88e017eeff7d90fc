"""Legitimate clients of coap-server: they ask for its front page, and know the answer byte for byte (but for the message id, which is theirs)."""
import itertools, threading, time

from common.client import udp_exchange

GET = b"\x40\x01"       # confirmable, no token, no options
ACKNOWLEDGED = b"\x60\x45"
PATIENCE = 1.0          # seconds
PAUSE = 0.02


class CoapClients:
    def __init__(self, port, counts, want, number=2):
        self.port, self.counts, self.want, self.ending = port, counts, want, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(0x1000 * (n + 1),), daemon=True) for n in range(number)]
        for t in self.threads:
            t.start()

    def run(self, first):
        for number in itertools.count():
            if self.ending.is_set():
                return
            message_id = (first + number % 0x1000).to_bytes(2, "big")
            answer = udp_exchange(self.port, GET + message_id, PATIENCE)
            if answer is None:
                self.counts.add(lost=1)
            else:
                right = answer[:4] == ACKNOWLEDGED + message_id and answer[4:] == self.want
                self.counts.add(right=right, wrong=not right)
            time.sleep(PAUSE)

    def stop(self):
        self.ending.set()
        for t in self.threads:
            t.join()
        return self.counts.snapshot()


def front_page(port):
    """The answer without its message id."""
    answer = udp_exchange(port, GET + b"\x0f\xff", PATIENCE)
    return answer[4:] if answer else None
