"""yasm: a preprocessor directive without its operand; see case.md.

needs: yasm
time: 300
"""
import os

from common.presenting import Tool

PROGRAMS = ["yasm"]


def command(path, folder):
    # Never /dev/null: failing assemblers unlink their output.
    return ["yasm", "-f", "bin", "-o", os.path.join(folder, "out.bin"), path]


def good(code, output):
    """Any end of its own making: a diagnostic is as good as an output."""
    return 0 <= code < 124


case = Tool(command, good)
