"""The text of processes, beside that of their files."""
import re


def text_differs(pid):
    """Executable mappings of files that are not as the file is."""
    found = []
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb") as memory:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r-xp ([0-9a-f]+) \S+ [1-9]\d* +(/.*)", line)
            if not m:
                continue
            start, end, offset = (int(m[i], 16) for i in (1, 2, 3))
            memory.seek(start)
            with open(m[4], "rb") as f:
                f.seek(offset)
                wanted = f.read(end - start)
            if memory.read(end - start)[:len(wanted)] != wanted:
                found.append(m[4])
    return found
