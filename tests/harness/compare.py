"""Is what a mode did the same as what the native run did? Says the first difference, readably."""
import signal


def ending(code):
    if code is None:
        return "did not start"
    if code >= 0:
        return "exit %d" % code
    try:
        return signal.Signals(-code).name
    except ValueError:
        return "signal %d" % -code


def tail(result):
    """The end of what a run said."""
    return "".join("; %s: %s" % (name, text[-300:].decode("utf-8", "replace").strip())
                   for name, text in (("stdout", result.out), ("stderr", result.err)) if text)


def first_difference(want, got):
    want, got = want.splitlines(), got.splitlines()
    for number in range(max(len(want), len(got))):
        a = want[number] if number < len(want) else b"(nothing)"
        b = got[number] if number < len(got) else b"(nothing)"
        if a != b:
            return "line %d: %r, natively %r" % (number + 1, b[:200].decode("utf-8", "replace"), a[:200].decode("utf-8", "replace"))
    return "line ends differ"


def native(result, code, token):
    """What is wrong with a native run by itself; None: nothing."""
    if result.problem:
        return result.problem
    if result.code != code:
        return "ended with %s, should with %s%s" % (ending(result.code), ending(code), tail(result))
    if token != "none" and (result.out.splitlines() or [b""])[-1] != token.encode():
        return "does not end with the line '%s'" % token
    return None


def same(result, reference):
    """What differs from the native run; None: nothing."""
    if result.problem:
        return result.problem
    if result.code != reference.code:
        return "ended with %s, natively with %s%s" % (ending(result.code), ending(reference.code), tail(result))
    for name, want, got in (("stdout", reference.out, result.out), ("stderr", reference.err, result.err)):
        if want != got:
            return "%s, %s" % (name, first_difference(want, got))
    return None
