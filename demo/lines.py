"""A connection to tallyd: one line out, one line back."""
import socket


class Connection:
    def __init__(self, port, seconds=5.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.rest = b""

    def ask(self, line):
        """The answer without its newline; OSError when the server is gone."""
        self.socket.sendall(line + b"\n")
        while b"\n" not in self.rest:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("connection closed")
            self.rest += more
        answer, _, self.rest = self.rest.partition(b"\n")
        return answer

    def close(self):
        self.socket.close()
