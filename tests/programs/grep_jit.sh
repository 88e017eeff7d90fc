#!/bin/bash
# grep -P: patterns compiled to machine code at run time, with look-behind, back references, recursion and a match limit that is met.
# time: 120
set -eu
seq 1 50000 >numbers
$WRAP grep -Pc '(?<=1)2+(\d)' numbers
$WRAP grep -Po '^(\d)(\d)\2\1$' numbers | sha256sum
$WRAP grep -Pn '^(?:(1|2(?=3))+|9{3,})$' numbers
printf '((a)(b(c)))\n((a)(b\n' | $WRAP grep -P '^(\((?:[^()]|(?1))*\))$'
status=0
head -c 60 /dev/zero | tr '\0' a | $WRAP grep -P '^(a+)+$x|(a|aa)+$y' 2>&1 || status=$?
echo "status $status"
echo ok
