#!/usr/bin/python3
"""nginx with two workers serves a load, reloads its configuration, loses a worker and gets a new one, and ends gracefully: no request fails.

time: 180
needs: nginx
"""
import os, signal, time

from lib import clearview
from lib.clearview import check
from lib.nginx import DEADLINE, Load, Nginx, PAGE


def wait_other_workers(nginx, before):
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        now = nginx.workers()
        if len(now) == len(before) and not set(now) & set(before):
            return True
        time.sleep(0.02)
    return False


def replace_worker(nginx):
    """A worker dies of SIGKILL; the master starts another."""
    before = nginx.workers()
    nginx_worker = before[0]
    os.kill(nginx_worker, signal.SIGKILL)
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        now = nginx.workers()
        if len(now) == len(before) and nginx_worker not in now:
            return nginx.get() == (200, PAGE)
        time.sleep(0.02)
    return False


nginx = Nginx(clearview.WORK + "/nginx", clearview.mode_prefix())
try:
    check(nginx.wait_ready(), "nginx starts: " + open(nginx.folder + "/log").read())
    check(len(nginx.workers()) == 2, "two workers")
    check(nginx.get("/missing")[0] == 404, "a missing page is 404")
    check(nginx.get(**{"Accept-Encoding": "gzip"})[1][:2] == b"\x1f\x8b", "gzip is spoken")
    load, fresh = Load(nginx), Load(nginx, clients=2, keep=False)
    check(load.wait_requests(2000) and fresh.wait_requests(200), "requests are answered")
    before = nginx.workers()
    requests, failed = load.stop()
    requests_fresh, failed_fresh = fresh.stop()
    check(not failed and not failed_fresh, "no request failed: %s" % (failed + failed_fresh)[:3])
    nginx.signal(signal.SIGHUP)
    check(wait_other_workers(nginx, before), "a reload brings new workers")
    check(nginx.get() == (200, PAGE), "they serve")
    check(replace_worker(nginx), "a killed worker is replaced")
    status = nginx.stop()
    check(status == 0, "a graceful end gives exit 0, not %d" % status)
finally:
    if nginx.child.poll() is None:
        nginx.child.kill()
print("%d requests, %d on fresh connections" % (requests, requests_fresh))
