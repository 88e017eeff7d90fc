"""The cases: what is normal, what is bad, and by which presentation it has to be survived."""
from presenting import Run, Server

RANGES = [(b"range 1 5", b"5"), (b"other", b"what")]
GREETINGS = [(b"ada@home", b"hello ada from home"), (b"none", b"nobody")]
SMASH = [b"a" * 200 + b"@home"]


def lines(*rows):
    return b"\n".join(rows) + b"\n"


def among(bad, rows):
    """The bad line in the middle."""
    return lines(*rows[:2], bad, *rows[2:])


CASES = [
    Server("null_helper", "null_helper.c", [(b"boss ada", b"ada reports to the head at desk 2"), (b"hi", b"ok 2")], [b"boss dan"], 2),
    Server("null_unknown", "null_helper.c", [(b"boss ada", b"ada reports to the head at desk 2"), (b"hi", b"ok 2")], [b"boss eve"], 2),
    Server("null_callback", "null_callback.c", [(b"upper abc", b"ABC"), (b"length abcd", b"4")], [b"lower ABC"], 2),
    Run("index_read", "index_read.c", among(b"3 1000000000", [b"1 0", b"2 1", b"4 2", b"5 3"]), [b"1 red", b"2 green", b"4 blue", b"5 white"], 2),
    Server("index_negative", "index_negative.c", [(b"add 63 0", b"0"), (b"add 5 0", b"0")], [b"add -999999999 1"], 2),
    Server("stack_smash", "stack_smash.c", GREETINGS, SMASH, 3),
    Server("stack_smash_worker", "stack_smash.c", GREETINGS, SMASH, 3, workers=2),
    Run("smash_filter", "smash_filter.c", among(b"3 40a90b200c", [b"1 3a2b", b"2 1x", b"4 5y", b"5 2z"]),
        [b"1 aaabb ok", b"2 x ok", b"4 yyyyy ok", b"5 zz ok"], 3),
    Run("return_poke", "return_poke.c", among(b"3 ret", [b"1 0 5", b"2 7 6", b"4 0 1", b"5 7 2"]), [b"1 5", b"2 6", b"4 1", b"5 2"], 3,
        options=["--strict=shadow"]),
    Run("fortify", "fortify.c", among(b"name 400 " + b"n" * 400, [b"name 3 ada", b"name 3 ben", b"city 4 rome", b"city 4 oslo"]),
        [b"name    |ada", b"name    |ben", b"city    |rome", b"city    |oslo", b"end"], 2),
    Server("heap_overflow", "heap_overflow.c", [(b"put 1 5 abcde", b"kept"), (b"drop 1", b"gone")],
           [b"put 7 10 short", b"put 8 10 " + b"x" * 600, b"put 9 10 short", b"drop 8", b"drop 7", b"drop 9"] + [b"put 3 2000 abc", b"drop 3"], 2),
    Run("heap_stale", "heap_stale.c", among(b"3 drop sundry-reasons-of-mine", [b"1 put a", b"2 put bcd", b"4 put ef", b"5 put g"]), [b"1 a", b"2 bcd", b"4 ef", b"5 g"], 2,
        options=["--strict=heap"]),
    Run("double_free", "double_free.c", among(b"3 one", [b"1 a b", b"2 c d", b"4 e f", b"5 g h"]), [b"1 b-a", b"2 d-c", b"4 f-e", b"5 h-g"], 2),
    Server("use_after_free", "use_after_free.c", [(b"open me", b"open"), (b"hm", b"none")], [b"open me", b"close", b"who"], 2),
    Server("assertion", "assertion.c", RANGES, [b"range 5 1"], 2),
    Server("assertion_worker", "assertion.c", RANGES, [b"range 5 1"], 2, workers=2),
    Run("out_of_range", "out_of_range.cc", among(b"3 7 x y", [b"1 0 a b", b"2 1 a b", b"4 0 c", b"5 1 d e"]), [b"1 a", b"2 b", b"4 c", b"5 e", b"end"], 2),
    Server("terminate", "terminate.cc", [(b"12", b"24")], [b"99999999999999999999"], 2),
    Run("pure_virtual", "pure_virtual.cc", among(b"3 square 2 eager", [b"1 square 2 -", b"2 circle 1 -", b"4 circle 2 -", b"5 square 3 -"]),
        [b"1 4", b"2 3", b"4 12", b"5 9", b"end"], 2),
    Run("division_zero", "division.c", among(b"3 1 0", [b"1 7 2", b"2 9 3", b"4 5 5", b"5 8 3"]), [b"1 3 1", b"2 3 0", b"4 1 0", b"5 2 2"], 2),
    Run("division_overflow", "division.c", among(b"3 -9223372036854775808 -1", [b"1 7 2", b"2 9 3", b"4 5 5", b"5 8 3"]),
        [b"1 3 1", b"2 3 0", b"4 1 0", b"5 2 2"], 2),
    Server("format_n", "format.c", [(b"hello", b"hello")], [b"%s%n".replace(b"%s", b"%ld") + b"%n"], 2),
    Server("format_s", "format.c", [(b"hello", b"hello")], [b"%s %s"], 2),
    Run("recursion", "recursion.c", among(b"3 " + b"(" * 500000 + b")" * 500000, [b"1 (a(b))", b"2 a", b"4 ((c))", b"5 (((d)))"]),
        [b"1 depth 2", b"2 depth 0", b"4 depth 2", b"5 depth 3"], 2),
    Server("recursion_walk", "recursion_walk.c", [(b"a:bc b:d", b"dbca 4"), (b"x", b" 0")], [b"a:bcb b:ac"], 2),
    Server("endless", "endless.c", [(b"1 5 1", b"4"), (b"0 0 1", b"0")], [b"1 5 0"], 2),
    Run("endless_filter", "endless.c", lines(b"1 5 1", b"1 5 0", b"0 0 1", b"3 4 1"), [b"4", b"0", b"3"], 2, ["-"]),
    Server("chain", "chain.c", [(b"none", b"unknown")], [b"put red", b"touch red", b"oak"], 2),
    Run("interpreter_null", "interpreter.c", lines(b"1 2 +", b"5 0 set", b"3 4 *", b"2 make 7 1 set 1 get"), [b"1: 3", b"3: 12", b"4: 7"], 2),
    Run("interpreter_index", "interpreter.c", lines(b"1 2 +", b"4 make 1 1e12 set", b"3 4 *", b"2 make 7 1 set 1 get"), [b"1: 3", b"3: 12", b"4: 7"], 2),
]
