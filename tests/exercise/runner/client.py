"""A client for the target: one keep-alive connection over loopback, and nothing else.

    with Client(port) as c:
        reply = c.request("POST", "/preview", b"<page>...")
        reply.status, reply.body
"""
import socket


class Lost(Exception):
    """The connection ended, or nothing came in time, before a whole reply was there."""


class Reply:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body


class Client:
    def __init__(self, port, timeout=20.0):
        self.port, self.timeout = port, timeout
        self.sock, self.cookie, self.pending = None, None, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.sock is not None:
            self.sock.close()
        self.sock, self.pending = None, b""

    def connect(self):
        if self.sock is None:
            try:
                self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                raise Lost(str(error)) from None

    def request(self, method, path, body=b""):
        """Send one request and wait for its reply. Raises Lost."""
        if isinstance(body, str):
            body = body.encode("latin-1")
        return self._exchange(self._message(method, path, body), 1)[0]

    def pipeline(self, requests):
        """Send several requests without bodies in one piece, then wait for all replies."""
        return self._exchange(b"".join(self._message(*request, b"") for request in requests), len(requests))

    def _message(self, method, path, body):
        head = f"{method} {path} HTTP/1.1\r\nHost: gazette\r\nContent-Length: {len(body)}\r\n"
        if self.cookie:
            head += f"Cookie: {self.cookie}\r\n"
        return head.encode("latin-1") + b"\r\n" + body

    def _exchange(self, message, replies):
        self.connect()
        try:
            self.sock.sendall(message)
            return [self._reply() for _ in range(replies)]
        except (OSError, ValueError, IndexError) as error:       # gone, or not HTTP
            self.close()
            raise Lost(str(error)) from None

    def _reply(self):
        while b"\r\n\r\n" not in self.pending:
            self._more()
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(fields.get("content-length", "0"))
        while len(self.pending) < length:
            self._more()
        body, self.pending = self.pending[:length], self.pending[length:]
        if "set-cookie" in fields:
            self.cookie = fields["set-cookie"].split(";")[0]
        if fields.get("connection") == "close":
            self.close()
        return Reply(int(lines[0].split()[1]), fields, body)

    def _more(self):
        part = self.sock.recv(65536)
        if not part:
            raise ConnectionResetError("closed by the server")
        self.pending += part
