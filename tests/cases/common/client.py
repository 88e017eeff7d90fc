"""Bounded exchanges over loopback, and the .req files that hold requests."""
import socket

def free_port(kind=socket.SOCK_STREAM):
    """A port of 127.0.0.1 nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def udp_exchange(port, datagram, seconds=1.0, sock=None):
    """Send one datagram; the reply, or None."""
    with (sock.dup() if sock else socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as s:
        s.settimeout(seconds)
        try:
            s.sendto(datagram, ("127.0.0.1", port))
            return s.recv(65536)
        except OSError:
            return None


def load(path):
    """A .req file: one datagram or chunk a line, in hex; lines with # are comments."""
    with open(path) as f:
        return [bytes.fromhex(line) for line in f.read().split("\n") if line and not line.startswith("#")]
