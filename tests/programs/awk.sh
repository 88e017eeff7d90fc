#!/bin/bash
# awk, both that Debian has: associative arrays, regular expressions, printf, getline from a pipe, sorting.
# time: 120
# packages: gawk mawk
set -eu
seq 1 20000 >numbers
cat >program.awk <<'SCRIPT'
{ s += $1; by[$1 % 7]++; if ($1 ~ /^1(2|3)+$/) odd = odd " " $1 }
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
END {
	for (k = 0; k < 7; k++) printf "%d:%d ", k, by[k]
	printf "%d %.6f %s\n", s, sqrt(s) + sin(1), odd
	print fib(18), length("abc"), substr("hello", 2, 3), toupper("x"), index("hello", "l")
	"echo from a pipe" | getline line; print line
	n = split("c,a,b", part, ","); print n, part[1]; gsub(/a+/, "<&>", line); print line
	exit 3
}
SCRIPT
for awk in gawk mawk; do
	status=0
	$WRAP $awk -f program.awk numbers || status=$?
	echo "$awk: status $status"
done
$WRAP gawk 'BEGIN { a["y"]; a["x"]; n = asorti(a, b); print n, b[1], b[2]; print gensub(/(a)(b)/, "\\2\\1", "g", "abab"), strtonum("0x1f") }'
echo ok
