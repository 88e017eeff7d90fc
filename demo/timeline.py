"""What ClearView saw and did, as it says itself (`clearview events --json`), beside what the demo did, with seconds since the start."""
import json, subprocess, time


class Timeline:
    def __init__(self, clearview, state):
        self.clearview, self.state, self.start, self.shown = clearview, state, time.time(), 0

    def say(self, words, when=None, who="demo"):
        print("%7.2f s  %-9s  %s" % ((when or time.time()) - self.start, who, words), flush=True)

    def command(self, *words):
        return subprocess.run([self.clearview, *words, "--state", self.state], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60).stdout

    def rows(self, *words):
        """What a command prints with --json: one array, or an object a line."""
        text = self.command(*words, "--json").strip()
        if text.startswith("["):
            return json.loads(text)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def show_events(self):
        """Events that were not shown yet, except the many small ones of learning."""
        for event in self.rows("events"):
            if event["id"] > self.shown:
                self.shown = event["id"]
                if event["kind"] != "learn":
                    self.say("%s: %s" % (event["kind"], event["text"]), event["time"], "ClearView")
