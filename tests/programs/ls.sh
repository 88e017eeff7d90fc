#!/bin/bash
# ls -lR /usr: the same bytes, to a file and to a pipe.
# time: 120
set -eu -o pipefail
$WRAP ls -lR /usr >listing
wc -c <listing
sha256sum <listing
$WRAP ls -lR /usr/share/doc | sha256sum
echo ok
