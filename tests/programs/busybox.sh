#!/bin/bash
# busybox: one static program that calls itself by many names.
# time: 120
# packages: busybox
set -eu
$WRAP busybox sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done; echo $i; busybox seq 1 1000 | busybox awk "{ s += \$1 } END { print s }"; (exit 3); echo $?'
seq 1 20000 | $WRAP busybox gzip | $WRAP busybox gunzip | $WRAP busybox sha256sum
$WRAP busybox sort -rn <(seq 1 2000) | head -2
echo ok
