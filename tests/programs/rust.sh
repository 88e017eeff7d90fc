#!/bin/bash
# Rust programs: ripgrep and fd with threads, bat with colours; errors as natively.
# time: 300
# packages: ripgrep fd-find bat
set -eu
seq 1 30000 >numbers
mkdir -p tree/a/b; for i in $(seq 1 200); do seq 1 "$i" >tree/a/f$i.txt; done
$WRAP rg -c '^1(2|3)+$' numbers
$WRAP rg -j4 -n '7$' tree | sort | sha256sum
$WRAP rg -j4 --json 'f?1\d{2}\b' tree/a/f150.txt | grep -v elapsed | sha256sum
$WRAP fdfind -j4 -e txt . tree | sort | sha256sum
$WRAP batcat --paging=never --color=always -n --decorations=always tree/a/f9.txt
status=0
$WRAP rg '(' numbers 2>&1 || status=$?
echo "status $status"
echo ok
