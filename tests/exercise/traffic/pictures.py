"""Building blocks for pictures in the target's two formats (target/media/sif.h and pix.h)."""
import struct


def sub_blocks(data, step=255):
    parts = (data[i:i + step] for i in range(0, len(data), step))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def sif(width, height, *blocks, colours=4, end=b";"):
    palette = b"".join(bytes([i * 60 % 256, i * 80 % 256, i * 40 % 256]) for i in range(colours))
    return b"SIF1" + struct.pack("<HHB", width, height, colours) + palette + b"".join(blocks) + end


def runs(*pairs):
    return b"," + sub_blocks(b"".join(bytes(pair) for pair in pairs))


def caption(*lines):
    return b"!\xfe" + bytes([len(lines)]) + b"".join(bytes([len(l)]) + l.encode() for l in lines) + b"\0"


def timing(delay, loops):
    return b"!\xf9" + sub_blocks(struct.pack("<HH", delay, loops))


def application(name, data, step=255):
    return b"!\xff" + sub_blocks(name.encode().ljust(8)[:8] + data, step)


def extension(label, data):
    return b"!" + bytes([label]) + sub_blocks(data)


def pix_page(width, height, channels, kind, data):
    return struct.pack("<IIBB", width, height, channels, kind) + data


def pix(*pages, count=None):
    return b"PIX2" + bytes([len(pages) if count is None else count]) + b"".join(pages)


def gradient(width, height, channels=1):
    return bytes((x * 7 + y * 13 + c * 50) % 256
                 for y in range(height) for x in range(width) for c in range(channels))
