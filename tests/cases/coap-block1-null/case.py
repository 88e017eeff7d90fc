"""coap-server: the last block of a transfer with a number that was there already; see case.md.

needs: coap-server-notls
time: 300
"""
import socket, time

from common.client import free_port, load, udp_exchange
from common.presenting import Service
from common.program import Server

PROGRAMS = ["coap-server-notls"]
BETWEEN_DATAGRAMS = 0.05    # seconds
COAP_PING = b"\x40\x01"     # confirmable GET without options; the message id follows
port = free_port(socket.SOCK_DGRAM)
message_id = 0x7000


def probe():
    global message_id
    message_id += 1
    return udp_exchange(port, COAP_PING + message_id.to_bytes(2, "big"), 0.5)


def start(prefix, folder):
    argv = ["coap-server-notls", "-A", "127.0.0.1", "-d", "100", "-v", "1", "-p", str(port), "-L", "3"]
    return Server(argv, prefix, folder, lambda: probe() is not None)


def send(path):
    reply = None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for datagram in load(path):
            reply = udp_exchange(port, datagram, 0.5, s)
            time.sleep(BETWEEN_DATAGRAMS)
    return reply


case = Service(start, send, probe)
