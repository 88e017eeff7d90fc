#!/bin/bash
# A shell script with pipes, subshells, here documents, traps, background jobs, process substitution and arithmetic.
# time: 120
set -eu
cat >script <<'SCRIPT'
set -o pipefail
seq 1 2000 | while read -r n; do [ $((n % 7)) = 0 ] && echo "$n"; done | sort -rn | head -5
fib() { if [ "$1" -lt 2 ]; then echo "$1"; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi; }
fib 10
cat <<HERE | tr a-z A-Z
here document with $((6 * 7))
HERE
trap 'echo trapped' USR1; kill -USR1 $$
(exit 3) || echo "subshell said $?"
for i in 1 2 3 4; do (sleep 0.0$i; exit $i) & done; for job in $(jobs -p); do wait "$job"; echo "job $?"; done
diff <(printf 'a\nb\n') <(printf 'a\nc\n') | grep -c '^[<>]'
declare -A map; for w in the quick the lazy the dog; do map[$w]=$((${map[$w]:-0} + 1)); done; for k in "${!map[@]}"; do echo "$k ${map[$k]}"; done | sort
x=abcdef; echo "${x:2:3} ${x/cd/--} ${x^^} ${#x}"
[[ "2024-05-17" =~ ^([0-9]+)-([0-9]+) ]] && echo "${BASH_REMATCH[2]}"
printf '%s\n' *.nothing; true | false | true || echo "pipe failed"
exit 17
SCRIPT
status=0
$WRAP bash script || status=$?
echo "status $status"
echo ok
