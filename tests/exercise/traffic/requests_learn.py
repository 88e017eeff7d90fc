"""Requests for learning, other than pages: pictures, addresses, sessions, stored pages."""
from .pictures import application, caption, extension, gradient, pix, pix_page, runs, sif, timing


def picture(data):
    return [("POST", "/picture", data)]


def address(*texts):
    return [("GET", "/address?u=" + text, b"") for text in texts]


def session(*steps):
    return [("POST", "/session/open", b""), *steps, ("POST", "/session/close", b"")]


def pref(slot, value):
    return ("POST", f"/session/pref?slot={slot}&value={value}", b"")


CASES = {
    "sif-plain": picture(sif(8, 4, runs((8, 0), (8, 1), (8, 2), (8, 3)))),
    "sif-caption": picture(sif(6, 2, caption("A caption"), runs((12, 2)))),
    "sif-lines": picture(sif(6, 2, caption("First line", "second", "third"), timing(10, 3), runs((12, 1)))),
    "sif-application": picture(sif(16, 16, application("ANIMATE", b"data" * 100), timing(5, 0),
                                   runs(*[(16, y % 4) for y in range(16)]), runs((255, 1), (1, 2)))),
    "sif-two-captions": picture(sif(4, 4, caption("old"), application("NOTES", b"x" * 20),
                                    caption("new", "one"), runs((16, 3)))),
    "sif-unknown": picture(sif(4, 4, extension(0x33, b"whatever"), extension(0x01, b""), runs((9, 1)))),
    "pix-grey": picture(pix(pix_page(16, 8, 1, 0, gradient(16, 8)))),
    "pix-colour": picture(pix(pix_page(10, 5, 3, 1, gradient(10, 5, 3)), pix_page(3, 3, 4, 2, gradient(3, 3, 4)))),
    "pix-short": picture(pix(pix_page(20, 20, 1, 2, gradient(20, 7)))),
    "address-plain": address("http://www.example.org/", "https://example.com:444/a/b?c=d", "ftp://files.example/x"),
    "address-wide": address("http://ex%25c3%25a4mple.org/", "http://%25ef%25bc%25a1bc.example/",
                            "http://%25ef%25ac%2581sh.example/", "http://wei%25c3%259f.example/"),
    "address-bad": address("nothing", "http:///", "http://a%2520b/", "http://x:port/", "http://a%25zz/"),
    "session-note": session(("POST", "/session/note", b"remember this"), ("GET", "/session/note", b"")),
    "session-prefs": session(pref(0, 5), pref(3, -7), pref(15, 1000000), ("GET", "/session/prefs", b"")),
    "session-empty": session(("GET", "/session/note", b""), ("GET", "/session/prefs", b"")),
    "session-refused": [("GET", "/session/note", b""), ("POST", "/session/open", b""), pref(16, 1),
                        ("POST", "/session/nothing", b""), ("POST", "/session/close", b""),
                        ("POST", "/session/close", b"")],
    "stored": [("GET", "/pages/index", b""), ("GET", "/pages/about", b""), ("GET", "/pages/index", b"")],
    "not-found": [("GET", "/pages/nothing", b""), ("GET", "/nothing", b""), ("GET", "/preview", b""),
                  ("POST", "/picture", b"not a picture")],
}
