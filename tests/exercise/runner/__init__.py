"""The exercise's runner: starts the target, sends it traffic and attacks, and reports."""
