#!/usr/bin/python3
"""The Red Team exercise's own check: frozen sources, legitimate pages on the sanitizer build, every exploit once, natively.

time: 400
modes: alone
needs: g++ make
"""
import os, subprocess, sys

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "exercise")
environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "MODE", "UNDER")}
sys.exit(subprocess.run(["make", "-C", here, "check"], env=environment).returncode)
