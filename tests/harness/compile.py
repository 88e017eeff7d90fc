"""Compile behave programs; a variant is compiled once a harness run, whatever the number of modes."""
import os, shlex, subprocess, threading

COMPILERS = {".c": "gcc", ".cc": "g++", ".S": "gcc"}
COMMON = ["-g0", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-result"]


MIDRUN_LOCK = threading.Lock()


class CompileError(Exception):
    pass


def command(source, build, output, include):
    """`build` may begin with another compiler's name: "musl-gcc -O2 -static"."""
    words = shlex.split(build)
    compiler = COMPILERS[os.path.splitext(source)[1]]
    if words and not words[0].startswith("-"):
        compiler = words.pop(0)
    return [compiler, *COMMON, "-I", include, "-o", output, source, *words, "-pthread"]


def compiler_of(source, build):
    return command(source, build, "", "")[0]


def program(source, build, output, parts):
    """Compile the program and the parts it needs beside it."""
    here = os.path.dirname(source)
    steps = [command(source, build, output, here)]
    for name, result, *flags in parts:
        steps.append(command(here + "/parts/" + name, shlex.join(flags), os.path.join(os.path.dirname(output), result), here))
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise CompileError("%s\n%s" % (shlex.join(step), done.stdout.decode("utf-8", "replace")))


def midrun(work):
    """The tool that changes programs in the middle of their runs; compiled once."""
    tool = os.path.join(work, "midrun")
    with MIDRUN_LOCK:
        if not os.path.exists(tool):
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "midrun.c")
            subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", tool, source], check=True)
    return tool
