"""Turn test files into jobs. A job runs one variant of one test, natively and then in each mode, and yields one outcome a mode."""
import glob, json, os, random, shlex, shutil, subprocess

from . import compare, compile, processes
from .directives import Test

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
SKIP_STATUS = 77


def crashes(folder):
    """What supervisors said of their own crashes, in the state folders below: guests survive these, and a keeper starts another one."""
    said = []
    for path in glob.glob(os.path.join(folder, "**", "supervisor.log"), recursive=True):
        with open(path, errors="replace") as f:
            lines = f.read().splitlines()
        said += ["\n".join(lines[i:i + 12]) for i, line in enumerate(lines) if "the supervisor crashes" in line]
    return said


class Outcome:
    def __init__(self, name, status, text="", folder=None):
        self.name, self.status, self.text, self.folder = name, status, text, folder


class Midrun:
    """A mode that changes a program in the middle of its run (midrun.c): at a system call chosen by the seed."""
    def __init__(self, verb, clearview):
        self.verb, self.clearview = verb, clearview

    def prefix(self, tool, state, calls, seed):
        moment = random.Random("%s %s" % (seed, self.verb)).randint(1, max(calls, 1))
        return [tool, self.verb, str(moment), state + ".log", self.clearview, state, "--"]


class Setting:
    """What all jobs share. modes: name -> function(state folder) giving the command prefix; the native one gives []. programs: also
    the tests that need more Debian packages. others: modes that a test may ask for beside those. seed: of what is chosen at random."""
    def __init__(self, modes, work, build, seconds, programs=False, others=None, seed=0):
        self.modes, self.work, self.build, self.seconds, self.programs, self.others = modes, work, build, seconds, programs, others or {}
        self.seed = seed
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "CLEARVIEW", "MAKE", "MFLAGS", "XDG_"))}
        self.environment.update(LC_ALL="C", PATH="/usr/sbin:/usr/bin:/sbin:/bin", HOME=work)

    def folder(self, name):
        path = os.path.join(self.work, name.replace("/", "."))
        os.makedirs(path, exist_ok=True)
        return path


def lacking(words):
    return [w for w in words if not shutil.which(w, path="/usr/sbin:/usr/bin:/sbin:/bin")]


KEEPS_SNAPSHOTS, AGAIN = {"redirect", "direct", "firewall", "shadow", "heap", "strict"}, ".again"


class ProgramJob:
    """The same command natively and in every mode: a compiled behave program, or a script with $WRAP before its program."""
    def __init__(self, setting, test, build, run):
        self.setting, self.test, self.build, self.run_line = setting, test, build, run
        number = test.builds.index(build)
        self.name = test.name + (".%d" % number if len(test.builds) > 1 else "") + (":" + run.name if run.name else "")
        wanted = [m for m in test.modes if not m.startswith("-")]
        self.modes = [m for m in setting.modes if m == "native" or (m in wanted if wanted else "-" + m not in test.modes)]
        self.modes += [m for m in test.also if m in setting.others]
        if test.kind != "behave":
            self.modes = [m for m in self.modes if not isinstance({**setting.others, **setting.modes}[m], Midrun)]

    def prepare(self, folder):
        """The command without its prefix, and whether the prefix goes into $WRAP instead."""
        if self.test.kind != "behave":
            return ["/bin/bash", self.test.path] + self.run_line.args, True
        program = os.path.join(folder, os.path.basename(self.test.path).rpartition(".")[0])
        compile.program(self.test.path, self.build, program, self.test.parts)
        return [program] + self.run_line.args, False

    def prefix(self, command, mode, folder, state):
        how = {**self.setting.others, **self.setting.modes}[mode]
        if not isinstance(how, Midrun):
            return how(state)
        tool = compile.midrun(self.setting.work)
        return how.prefix(tool, state, self.calls(tool, command, folder), "%s %s" % (self.setting.seed, self.name))

    def calls(self, tool, command, folder):
        """How many system calls the first thread makes."""
        place, log = os.path.join(folder, "count"), os.path.join(folder, "calls")
        if not os.path.exists(place):
            shutil.copytree(os.path.join(folder, "files"), place)
            processes.run([tool, "count", "0", log, "--"] + command, place, self.setting.environment, self.test.stdin,
                          self.test.time or self.setting.seconds, "%d.%s" % (os.getpid(), self.name))
        with open(log) as f:
            return int(f.read() or 1)

    def once(self, command, scripted, mode, folder, state=""):
        """One run in `mode`. It starts in the same, emptied, folder each time: what it sees of its surroundings is the same."""
        # A folder for each mode, so a failing mode's leavings stay; the programs see it only as their current folder.
        place = os.path.join(folder, mode)
        shutil.copytree(os.path.join(folder, "files"), place)
        prefix = self.prefix(command, mode, folder, state)
        environment = dict(self.setting.environment)
        if scripted:
            environment["WRAP"] = shlex.join(prefix)
            prefix = []
        return processes.run(prefix + command, place, environment, self.test.stdin, self.test.time or self.setting.seconds,
                             "%d.%s" % (os.getpid(), self.name))

    def run(self):
        missing = lacking(self.test.needs + ([compile.compiler_of(self.test.path, self.build)] if self.test.kind == "behave" else []))
        if missing:
            yield Outcome(self.name, SKIPPED, "needs " + " ".join(missing))
            return
        folder = self.setting.folder(self.name)
        os.makedirs(os.path.join(folder, "files"), exist_ok=True)
        try:
            command, scripted = self.prepare(os.path.join(folder, "files"))
        except compile.CompileError as e:
            yield Outcome(self.name, FAILED, str(e), folder)
            return
        yield from self.run_modes(command, scripted, folder)

    def run_modes(self, command, scripted, folder):
        reference = self.once(command, scripted, "native", folder)
        if reference.code == SKIP_STATUS and self.run_line.code != SKIP_STATUS:
            yield Outcome(self.name, SKIPPED, reference.out.decode("utf-8", "replace").strip())
            return
        wrong = compare.native(reference, self.run_line.code, self.test.token)
        yield self.outcome("native", wrong, folder)
        for mode in self.modes:
            if mode != "native" and not wrong:
                state = os.path.join(folder, "state." + mode)
                differs = self.differs(command, scripted, mode, folder, state, reference)
                yield self.outcome(mode, "\n".join(filter(None, [differs] + crashes(state) + crashes(state + AGAIN))), folder)

    def differs(self, command, scripted, mode, folder, state, reference):
        """What is not as in the reference. Some modes run twice: with snapshots of the modules, of which the first run has made some."""
        differs = compare.same(self.once(command, scripted, mode, folder, state), reference)
        kept = os.path.join(state, "snapshots")
        if differs or mode not in KEEPS_SNAPSHOTS or not os.path.isdir(kept):
            return differs
        shutil.rmtree(os.path.join(folder, mode))
        os.mkdir(state + AGAIN, 0o700)
        shutil.copytree(kept, os.path.join(state + AGAIN, "snapshots"))
        differs = compare.same(self.once(command, scripted, mode, folder, state + AGAIN), reference)
        return differs and "with snapshots: " + differs

    def outcome(self, mode, wrong, folder):
        return Outcome("%s@%s" % (self.name, mode), FAILED if wrong else PASSED, wrong or "", folder)


class ScriptJob:
    """A script that judges for itself: exit 0 passed, 77 skipped, anything else failed. It gets $WRAP (the mode's prefix), $MODE, $CLEARVIEW."""
    def __init__(self, setting, name, command, mode, seconds=0, needs=(), cwd=None):
        self.setting, self.command, self.mode, self.seconds, self.needs, self.cwd = setting, command, mode, seconds, needs, cwd
        self.name = name + ("@" + mode if mode else "")

    def run(self):
        if lacking(self.needs):
            yield Outcome(self.name, SKIPPED, "needs " + " ".join(lacking(self.needs)))
            return
        folder = self.setting.folder(self.name)
        prefix = self.setting.modes[self.mode](folder + "/state") if self.mode else []
        environment = dict(self.setting.environment, WRAP=shlex.join(prefix), MODE=self.mode, TMPDIR=folder,
                           CLEARVIEW=os.path.join(self.setting.build, "clearview"), BUILD=self.setting.build, PYTHONDONTWRITEBYTECODE="1")
        result = processes.run(self.command, folder, environment, b"", self.seconds or self.setting.seconds, "%d.%s" % (os.getpid(), self.name),
                               self.cwd)
        said = (result.out + result.err).decode("utf-8", "replace").strip()
        crashed = crashes(folder)
        if crashed or result.problem or result.code not in (0, SKIP_STATUS):
            yield Outcome(self.name, FAILED, "\n".join(filter(None, [result.problem or compare.ending(result.code), said[-1500:]] + crashed)), folder)
        else:
            yield Outcome(self.name, SKIPPED if result.code else PASSED, said[-200:] if result.code else "", folder)


def unit_jobs(setting):
    """The unit tests that the build knows (meson's test())."""
    if not os.path.exists(setting.build + "/build.ninja"):
        return []
    listed = json.loads(subprocess.run(["meson", "introspect", "--tests", setting.build], check=True, stdout=subprocess.PIPE).stdout)
    # Like meson test: in the build folder, to which the arguments are relative.
    return [ScriptJob(setting, "unit/" + t["name"], t["cmd"], "", float(t["timeout"]), cwd=t["workdir"] or setting.build) for t in listed]


def script_jobs(setting, test):
    command = ["/usr/bin/python3", test.path]
    if test.modes == ["alone"]:
        return [] if set(setting.modes) == {"native"} else [ScriptJob(setting, test.name, command, "", test.time, test.needs)]
    return [ScriptJob(setting, test.name, command, m, test.time, test.needs) for m in setting.modes if not test.modes or m in test.modes]


def case_jobs(setting, path, top):
    """A real case: under ClearView it must be survived, at the defaults and with learning; natively it must kill."""
    test, case = Test("cases", path), os.path.basename(os.path.dirname(path))
    natively = set(setting.modes) == {"native"}
    for name, options in [("", ["--native"])] if natively else [("", []), (":learned", ["--learned"])]:
        yield ScriptJob(setting, "cases/" + case + name, [top + "/cases/run", *options, case], "", test.time, test.needs)


def collect(setting, top):
    def found(pattern):
        return sorted(glob.glob(os.path.join(top, pattern)))
    jobs = unit_jobs(setting)
    for pattern, kind in (("behave/*.c", "behave"), ("behave/*.cc", "behave"), ("programs/*.sh", "programs"), ("programs/servers/*.sh", "servers")):
        for test in (Test(kind, path) for path in found(pattern)):
            if test.packages and not setting.programs:
                continue        # asked for by make programs
            jobs += [ProgramJob(setting, test, b, r) for b in test.builds for r in test.runs]
    for path in found("e2e/*.py"):
        if os.access(path, os.X_OK):            # the others are modules the tests share
            jobs += script_jobs(setting, Test("e2e", path))
    return jobs + [job for path in found("cases/*/case.py") for job in case_jobs(setting, path, top)]
