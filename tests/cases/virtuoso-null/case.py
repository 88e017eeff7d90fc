"""virtuoso: a large threaded SQL server that dies of one SELECT; see case.md.

needs: virtuoso-t isql-vt
time: 900
"""
import os, re, subprocess

from common.client import free_port
from common.presenting import Service
from common.program import Server

PROGRAMS = ["virtuoso-t", "isql-vt"]
CONFIGURATION = """[Database]
DatabaseFile = virt.db
ErrorLogFile = virt.log
LockFile = virt.lck
TransactionFile = virt.trx
xa_persistent_file = virt.pxa
ErrorLogLevel = 7
FileExtend = 200
MaxCheckpointRemap = 2000
Striping = 0
TempStorage = TempDatabase
[TempDatabase]
DatabaseFile = virt-temp.db
TransactionFile = virt-temp.trx
MaxCheckpointRemap = 2000
Striping = 0
[Parameters]
ServerPort = 127.0.0.1:%d
ServerThreads = 4
CheckpointInterval = 60
NumberOfBuffers = 2000
MaxDirtyBuffers = 1200
DirsAllowed = .
[Client]
SQL_PREFETCH_ROWS = 100
"""
port = free_port()


def isql(statements, seconds=30.0):
    """What the client prints, without the times it measured and the path it was called by; None if it did not come back."""
    try:
        done = subprocess.run(["isql-vt", "127.0.0.1:%d" % port, "dba", "dba"], input=statements.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    return re.sub(rb"-- \d+ msec\.|\d+ msec", b"", done.stdout)


def probe():
    answer = isql("SELECT 41 + 1;\n", 10)
    return answer if answer and b"42" in answer else None


def start(prefix, folder):
    with open(os.path.join(folder, "virtuoso.ini"), "w") as f:
        f.write(CONFIGURATION % port)
    return Server(["virtuoso-t", "+configfile", "virtuoso.ini", "+foreground", "+wait"], prefix, folder, lambda: probe() is not None)


def send(path):
    with open(path) as f:
        return isql(f.read())


case = Service(start, send, probe, settle=0.5)
case.LEARN = "25"  # full learning of ten megabytes of code takes minutes to start
