#!/usr/bin/python3
"""Differential fuzzing of the engine, about a minute: always the same programs, in which nothing is known to differ. `make fuzz-engine` makes new ones.

    modes: alone
    time:  900
"""
import os, subprocess, sys

SEEDS = "1,2,3,5,6"

here = os.path.dirname(os.path.abspath(__file__))
sys.exit(subprocess.run([os.path.join(here, "../differential/run"), "--build", os.environ["BUILD"], "--seed", SEEDS]).returncode)
