"""The test harness: see tests/run. Standard library only."""
