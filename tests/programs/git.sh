#!/bin/bash
# git: a history of commits, branches, merges, a repack with threads, a clone by pipe, blame and fsck.
# time: 600
# packages: git
set -eu
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE="2020-01-01 00:00 +0000" GIT_COMMITTER_DATE="2020-01-01 00:00 +0000"
g() { $WRAP git "$@"; }
g init -q -b main tree; cd tree
for i in 1 2 3; do seq "$i" 400 >f$i; g add .; g commit -qm "commit $i"; done
g checkout -q -b side HEAD~1; echo side >side; g add side; g commit -qm side
g checkout -q main; g merge -q -m merge side
g -c pack.threads=2 repack -qad
g log --graph --stat --format=%H
g blame f2 | tail -2
g fsck 2>&1
g diff HEAD~2 | sha256sum
cd ..; g clone -q --no-local tree copy; git -C copy rev-parse HEAD
status=0
g -C copy checkout -q nosuch 2>&1 || status=$?
echo "status $status"
echo ok
