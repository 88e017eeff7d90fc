"""jq as a stream filter: one bad document in the middle of twelve; see case.md.

needs: jq
time: 300
"""
from common.presenting import Tool

PROGRAMS = ["jq"]
LINES_WITHOUT_THE_BAD_ONE = 11


def command(path, folder):
    return ["jq", "--unbuffered", "-c", "{id: .id, r: (.a % .b)}", path]


def good(code, output):
    return code == 0 and output.count(b"\n") >= LINES_WITHOUT_THE_BAD_ONE


case = Tool(command, good)
