#!/usr/bin/python3
"""A minute of differential fuzzing of the engine, with new seeds each time; a difference is printed with its own.

    modes: alone
    time:  900
"""
import os, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
sys.exit(subprocess.run([os.path.join(here, "../differential/run"), "--build", os.environ["BUILD"], "--seconds", "60"]).returncode)
