"""What a run says: the paper's table as text, and everything as JSON."""
import json


def summary(run, exploit):
    """One exploit's line, as a dictionary."""
    shown = [p for p in run.presentations if p.exploit is exploit]
    survivals = [p for p in shown if p.outcome == "survived"]
    first = survivals[0] if survivals else None
    return {
        "exploit": exploit.NUMBER, "name": exploit.NAME, "class": exploit.CLASS, "aslr": exploit.WITH_ASLR,
        "presentations": len(shown),
        "control": sum(p.outcome == "control" for p in shown),
        "died": sum(p.outcome == "died" for p in shown),
        "endings": sorted({p.detail for p in shown if p.outcome == "died"}),
        "survived": len(survivals),
        "blocked": sum(p.outcome != "control" for p in shown),
        "variants": sorted({exploit.VARIANTS[p.variant][0] for p in shown}),
        "needed": shown.index(first) + 1 if first else None,
        "seconds": round(first.at + first.seconds - shown[0].at, 3) if first else None,
    }


def as_data(run):
    return {
        "build": run.options.build, "mode": run.options.mode, "under": run.options.under,
        "configuration": run.options.configuration, "seconds": round(run.clock(), 1),
        "exploits": [summary(run, exploit) for exploit in run.exploits],
        "legitimate": {"learning": vars(run.learned), "under attack": vars(run.tally), "afterwards": vars(run.last)},
        "blunt": {kind: sum(p.outcome == kind for p in run.blunts) for kind in ("control", "died", "survived")},
        "poison failed": run.poison_failed, "deaths": len(run.deaths),
        "presentations": [{"exploit": p.exploit.NUMBER, "variant": p.exploit.VARIANTS[p.variant][0],
                           "outcome": p.outcome, "detail": p.detail, "at": round(p.at, 4),
                           "seconds": round(p.seconds, 4)} for p in run.presentations],
        "events": run.events,
    }


def _outcome(line):
    words = [f"{line[kind]} {kind}" for kind in ("control", "died", "survived") if line[kind]]
    if line["endings"]:
        words.append("(" + ", ".join(line["endings"]) + ")")
    return " ".join(words)


COLUMNS = ("exploit", "class", "outcome", "blocked", "needed", "time")


def _row(line):
    return (f"{line['exploit']} {line['name']}", line["class"], _outcome(line),
            f"{line['blocked']}/{line['presentations']}", str(line["needed"] or "-"),
            f"{line['seconds']:.2f} s" if line["seconds"] is not None else "-")


def table(data):
    """The paper's table, in Markdown that can be read as it is."""
    rows = [COLUMNS] + [_row(line) for line in data["exploits"]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _tally(name, tally):
    asked = tally["identical"] + tally["different"] + tally["lost"]
    text = f"{name}: {tally['identical']} of {asked} identical, {tally['different']} different, {tally['lost']} lost"
    return text + (" (" + ", ".join(sorted(set(tally["names"]))) + ")" if tally["names"] else "")


def remarks(data):
    lines = [_tally("legitimate, " + name, tally) for name, tally in data["legitimate"].items()]
    if any(data["blunt"].values()):
        lines.append("blunt attacks: " + ", ".join(f"{n} {kind}" for kind, n in data["blunt"].items()))
        lines.append(f"poison the server failed on: {data['poison failed']}")
    lines.append(f"target started again {data['deaths']} times; {data['seconds']} s in all")
    return "\n".join(lines)


def verdict(data):
    """Whether a run without a prefix went as it has to: what is wrong, as a list of sentences."""
    wanted = "control" if data["build"] == "2009" else "died"
    wrong = [f"exploit {line['exploit']}: {_outcome(line)}" for line in data["exploits"]
             if line[wanted] != line["presentations"] or not line["presentations"]]
    wrong += [f"{name}: not all identical" for name, tally in data["legitimate"].items() if tally["different"]]
    wrong += [f"{name}: some lost" for name in ("learning", "afterwards") if data["legitimate"][name]["lost"]]
    return wrong + (["the server failed on harmless poison"] if data["poison failed"] else [])


def write_json(data, path):
    path.write_text(json.dumps(data, indent=1) + "\n")
