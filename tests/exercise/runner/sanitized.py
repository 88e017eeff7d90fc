"""What the sanitizer build says: its reports, brought to the place in the target's sources.

A report's place is the function in the innermost stack frame that is in a .c or .cc file of the target; with
its file and kind it is looked up in defects/places.txt.
"""
import re

from .target import HERE

PLACES = HERE / "defects" / "places.txt"
_ERROR = re.compile(r"(?:ERROR: AddressSanitizer: (?P<kind>[\w-]+)|runtime error: (?P<ub>.*))")
_FRAME = re.compile(r"#\d+ 0x[0-9a-f]+ in (?P<function>.*?) (?:\S*/)?(?P<file>target/\S+\.cc?):\d+")


def _ub_kind(text):
    if "which does not point to an object of type" in text:
        return "bad-type"
    if "out of bounds" in text:
        return "index"
    return text


def reports(log):
    """(kind, file, function) of every report in the text a target printed."""
    found, kind = [], None
    for line in log.splitlines():
        error, frame = _ERROR.search(line), _FRAME.search(line)
        if error and kind is None:
            kind = error.group("kind") or _ub_kind(error.group("ub"))
        elif frame and kind is not None:
            name = re.sub(r"\(.*|\[.*", "", frame.group("function"))
            found.append((kind, frame.group("file"), name))
            kind = None
        elif line.startswith("SUMMARY"):
            found += [(kind, "?", "?")] if kind else []
            kind = None
    return found


def places():
    """{(kind, file, function): number of the exploit} from defects/places.txt."""
    table = {}
    for line in PLACES.read_text().splitlines():
        words = line.split()
        if words and not line.startswith("#"):
            table[tuple(words[1:4])] = int(words[0])
    return table
