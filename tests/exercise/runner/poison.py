"""Inputs meant to make a repair system do harm. None of them takes control.

    widening   requests that do what an attack does, but with values that harm nothing: an object of the
               wrong type that is never used, an index below zero where there is nothing, a size that
               wraps but no data. A system that learns from them may learn that attacks are normal.
    blunt      an exploit whose addresses are wrong: it fails the server at places that may have nothing
               to do with the defect, so as to blame innocent instructions or a good patch
               (runner/presentation.py)
    near       the legitimate cases closest to an exploit's defect: rare values at the very points where
               a patch would act. They have to come back as recorded
"""
from traffic.cases import JUDGE
from traffic.pictures import caption, pix, pix_page, runs, sif

from .client import Client, Lost
from .visitor import visit


def _script(text):
    return ("POST", "/preview", f"<div id='d'></div><script>{text}</script>".encode())


# by exploit: requests, each harmless to an unprotected server
WIDENING = {
    1: [_script(f"page.find('d').append({what});") for what in ("[]", "time(0)", "range(0, 5)", "bytes(0)")][:3],
    2: [_script(f"[1].sort({what}); print('ok');") for what in ("[]", "{}", "time(0)", "'text'", "grid(1)")],
    3: [_script(f"canvas(4, 4).dot.call({what}, -1, -1);") for what in ("range(1, 2)", "time(9)", "canvas(1, 1)")],
    4: [_script("var p = page.make('p'); var q = page.make('q'); p.append(q); page.root.append(p); p.remove();")],
    5: [_script("range(0, 30).list().map(function(x) { for (var i = 0; i < 100; i += 1) { time(i); } return x; });"),
        _script("for (var i = 0; i < 9000; i += 1) { time(i); } print([1, 2].map(str));")],
    6: [_script(f"var g = grid(4); print(g.cell({i}), g.format({i}, 3), g.clear({i}));") for i in (-1, -2, -4)],
    7: [("POST", "/session/open", b""), ("POST", "/session/pref?slot=-3&value=0", b""),
        ("POST", "/session/prefs", b""), ("POST", "/session/close", b"")],
    8: [("POST", "/picture", sif(2, 2, caption(*lines), runs((4, 1))))
        for lines in (("a", ""), ("a", "b", "c", ""), ("", ""), ("x" * 255, ""))],
    9: [("POST", "/picture", pix(pix_page(width, height, channels, 0, b"")))
        for width, height, channels in ((16384, 1024, 4), (1, 1 << 20, 1), (4096, 65536, 4))],
    10: [("GET", f"/address?u=http://{host}/", b"") for host in
         ("%e3%8c%95", "%e3%8d%bf", "%ef%b7%ba-x", "%e3%8c%95%e3%8c%95%e3%8c%95")][:1],
}

# by exploit: beginnings of names of legitimate cases
NEAR = {
    1: ("judge-append",), 2: ("judge-sort",), 3: ("judge-dot", "judge-canvas"), 4: ("judge-remove", "judge-clear"),
    5: ("judge-map", "judge-filter", "judge-each"), 6: ("judge-grid", "judge-calendar"), 7: ("judge-session",),
    8: ("judge-sif",), 9: ("judge-pix",), 10: ("judge-address", "judge-links"),
}


def widen(run, requests):
    """Send widening requests; a server that fails on one counts as failed by poison."""
    for number, steps in requests.items():
        try:
            with Client(run.target.port) as client:
                for method, path, body in steps:
                    client.request(method, path, body)
            run.event("poison", f"widening {number}")
        except Lost:
            run.event("poison failed", f"widening {number}")
            run.poison_failed += 1
            if run.target.settle() is None:
                run.target.revive()


def near(run, exploit):
    for case in JUDGE:
        if case.name.startswith(NEAR[exploit.NUMBER]):
            run.tally.add(visit(case, run.target), case.name)
