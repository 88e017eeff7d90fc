"""Patches to import: harmless ones for a procedure that a program exports; unless told, one that nginx calls for every request."""
import json, re, subprocess

PROGRAM = "/usr/sbin/nginx"
PROCEDURE = "ngx_http_finalize_request"     # exported to nginx's modules, so its address is known even in a stripped nginx
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1


def build_id(program):
    notes = subprocess.run(["readelf", "-n", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"Build ID: ([0-9a-f]+)", notes)[1]


def entry(program, procedure):
    symbols = subprocess.run(["objdump", "-T", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(re.search(r"^([0-9a-f]+) .* %s$" % procedure, symbols, re.M)[1], 16)


def document(register, bound, program=PROGRAM, procedure=PROCEDURE):
    """At the procedure's entry: `bound <= register`, and if that is violated set it to the bound."""
    at = {"module": build_id(program), "offset": hex(entry(program, procedure))}
    variable = {"at": at, "slot": 0, "operand": {"kind": "register", "size": 8, "register": register}}
    invariant = {"kind": "lower-bound", "procedure": at["offset"], "a": variable, "bound": bound}
    return {"format": "clearview-patch", "version": 1, "monitor": "crash", "location": at,
            "patch": {"at": at, "guard": "invariant", "action": "set", "value": bound, "invariant": invariant, "state": "kept", "pinned": True}}


def acting():
    """Acts at every call, and harms nothing: rax holds nothing at the entry of a procedure with fixed arguments."""
    return document("rax", HIGHEST)


def write(path, patch):
    with open(path, "w") as f:
        json.dump(patch, f)
    return path
