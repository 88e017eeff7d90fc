"""A run as one HTML page: the table, and a timeline with a lane for each exploit and one for visitors."""
import html

from .report import remarks, table

COLOURS = {"control": "#c00", "died": "#e80", "survived": "#080", "lost": "#999", "different": "#a0a"}
LANE, LEFT, WIDTH = 26, 150, 1000

PAGE = """<!doctype html>
<meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 14px sans-serif; margin: 2em }} text {{ font: 12px sans-serif }} pre {{ line-height: 1.4 }}</style>
<h1>{title}</h1>
<pre>{table}

{remarks}</pre>
<p>{legend}</p>
<svg width="{width}" height="{height}">{marks}</svg>
"""


def _lanes(data):
    return [f"{line['exploit']} {line['name']}" for line in data["exploits"]] + ["visitors"]


def _mark(x, lane, colour, what):
    return (f'<circle cx="{x:.1f}" cy="{lane * LANE + LANE / 2}" r="4" fill="{colour}">'
            f"<title>{html.escape(what)}</title></circle>")


def _marks(data):
    scale = WIDTH / max(data["seconds"], 0.1)
    lane_of = {line["exploit"]: i for i, line in enumerate(data["exploits"])}
    for p in data["presentations"]:
        what = f"{p['variant']}: {p['outcome']} {p['detail']} at {p['at']:.2f} s"
        yield _mark(LEFT + p["at"] * scale, lane_of[p["exploit"]], COLOURS[p["outcome"]], what)
    for event in data["events"]:
        if event["kind"] in ("lost", "different"):
            yield _mark(LEFT + event["at"] * scale, len(lane_of), COLOURS[event["kind"]],
                        f"{event['what']}: {event['kind']} at {event['at']:.2f} s")


def _frame(lanes):
    for i, name in enumerate(lanes):
        y = i * LANE + LANE / 2
        yield f'<text x="0" y="{y + 4}">{html.escape(name)}</text>'
        yield f'<line x1="{LEFT}" y1="{y}" x2="{LEFT + WIDTH}" y2="{y}" stroke="#ddd"/>'


def write_html(data, path):
    lanes = _lanes(data)
    title = f"Exercise: {data['build']}, {data['mode']}, {data['configuration']}" + (
        f", under {data['under']}" if data["under"] else ", natively")
    legend = " ".join(f'<span style="color:{colour}">&#9679; {name}</span>' for name, colour in COLOURS.items())
    path.write_text(PAGE.format(
        title=html.escape(title), table=html.escape(table(data)), remarks=html.escape(remarks(data)),
        legend=legend, width=LEFT + WIDTH + 20, height=len(lanes) * LANE,
        marks="\n".join([*_frame(lanes), *_marks(data)])))
