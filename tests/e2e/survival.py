#!/usr/bin/python3
"""Small programs with one natural defect each are survived by the presentation that tests/survival/cases.py says. tests/survival/run NAME alone
runs one and tells more.

modes: alone
time: 240
needs: gcc g++
"""
import os, sys

RUN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "survival", "run")
os.execv(sys.executable, [sys.executable, RUN, "--clearview", os.environ["CLEARVIEW"]])
