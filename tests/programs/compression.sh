#!/bin/bash
# xz, gzip and bzip2 round trips, also with threads and through pipes; damaged input is refused as natively.
# time: 120
set -eu -o pipefail
seq 1 200000 >plain
for level in -1 -6; do
	$WRAP gzip $level -n -c plain >plain.gz
	$WRAP xz $level -T2 -c plain >plain.xz
	$WRAP bzip2 $level -c plain >plain.bz2
	sha256sum plain.gz plain.xz plain.bz2
	$WRAP gzip -dc plain.gz | cmp - plain
	$WRAP xz -dc plain.xz | cmp - plain
	$WRAP bzip2 -dc plain.bz2 | cmp - plain
done
head -c 1000 plain.xz >cut.xz
status=0
$WRAP xz -t cut.xz 2>&1 || status=$?
echo "status $status"
echo ok
