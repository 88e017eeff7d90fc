#!/bin/bash
# bench.sh - run one set of workloads natively and under any number of "wrappers"
# (command prefixes: a binary instrumentation tool, an emulator, a supervisor ...),
# interleaved round by round, and print tables of ratios to native.
#
#   bench.sh [-r ROUNDS] [-w REGEX] [-x REGEX] [-q] [-o OUTDIR] [-T SECONDS] [-F] [-l] NAME=PREFIX ...
#
#   NAME=PREFIX   a column; PREFIX is split into words as a shell does and put in
#                 front of every command, e.g.  VG='valgrind --tool=none -q --trace-children=yes'
#                 An empty PREFIX is a second native column (the A/A noise of the machine).
#                 NATIVE is always run and needs no mention.  Wrappers may also come
#                 from the environment: WRAPPERS=$'A=prefix a\nB=prefix b'
#   -r ROUNDS     rounds; every round runs NATIVE, then each wrapper, for each workload (3)
#   -w / -x       only / without the workloads whose name matches the extended regex
#   -q            quick: about a quarter of the work
#   -o OUTDIR     where raw.tsv, table.md and the logs go (./bench-out.DATE)
#   -T SECONDS    bound on one run; past it the run is killed and counts as FAIL (400)
#   -F            functional checks of server life cycles instead of the timings: several
#                 workers + reload, fork + save, daemonize, signals, crash, exec ...
#                 MARK_<NAME>=REGEX in the environment: what /proc/PID/maps of a process
#                 must show for it to count as still under wrapper NAME
#   -s FILE       (re)print the tables of a raw.tsv, run nothing
#   -l            list the workloads
#   DATA=DIR      inputs, made once, deterministic (default: data/ next to this script)
#   PINSRV=1      pin single-threaded servers to CPU 0 and their load to CPU 1 (default; 0: no)
#
# Server load is over loopback only.  Every run's output is checked against native's:
# a difference, a non-zero exit, a time-out or a server that does not stop is a FAIL.
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=$(cd "$(dirname "$0")" && pwd)
DATA=${DATA:-$here/data} PINSRV=${PINSRV:-1}
rounds=3 only=. without='^$' quick=0 out= limit=400 func=0 list=0 again=
while getopts r:w:x:qo:T:Fls:h o; do
  case $o in
    r) rounds=$OPTARG ;; w) only=$OPTARG ;; x) without=$OPTARG ;; q) quick=1 ;;
    o) out=$OPTARG ;; T) limit=$OPTARG ;; F) func=1 ;; l) list=1 ;; s) again=$OPTARG ;;
    *) sed -n '2,/^set -u/{/^set -u/!s/^# \{0,1\}//p}' "$0"; exit 2 ;;
  esac
done
shift $((OPTIND - 1))

names=(NATIVE) prefixes=("")
add() { names+=("${1%%=*}"); prefixes+=("${1#*=}"); }
if [[ -n "${WRAPPERS:-}" ]]; then while IFS= read -r l; do [[ -n "$l" ]] && add "$l"; done <<<"$WRAPPERS"; fi
for a in "$@"; do
  [[ "$a" == *=* ]] || { echo "bench.sh: not NAME=PREFIX: $a" >&2; exit 2; }
  add "$a"
done

# ---------------------------------------------------------------- inputs and helpers
PY=$(readlink -f /usr/bin/python3)
PERL=$(readlink -f /usr/bin/perl)
for part in workloads servers functional; do . "$here/$part.sh"; done
tables() { "$PY" "$here/tables.py" "$1"; }
if [[ -n "$again" ]]; then tables "$again"; exit; fi

# ---------------------------------------------------------------- main
tmp=$(mktemp -d /tmp/bench.XXXXXX); trap '[[ $BASHPID != $$ ]] || rm -rf "$tmp"' EXIT
workloads
if ((list)); then printf '%s\n' "${servers[@]}" "${cpus[@]}"; exit; fi
for t in nginx redis-server redis-benchmark redis-cli sqlite3 wrk lighttpd memcached openssl xz gzip bzip2 gcc g++ perl curl taskset setsid; do type -P $t >/dev/null || echo "bench.sh: missing $t" >&2; done
out=${out:-bench-out.$(date +%Y%m%d-%H%M%S)}; mkdir -p "$out"; out=$(cd "$out" && pwd); raw=$out/raw.tsv
make_helpers; make_data
if ((func)); then : >"$out/func.txt"; for i in "${!names[@]}"; do fx "${names[$i]}" "${prefixes[$i]}"; done; exit; fi
[[ -s $raw ]] || printf 'round\tworkload\twrapper\tstatus\twall_s\tcpu\tmem_kb\trps\tp99_ms\tready_s\n' >"$raw"
begin=$(date +%s)
for ((r = 1; r <= rounds; r++)); do
  for w in "${servers[@]}" "${cpus[@]}"; do
    [[ $w =~ $only ]] && ! [[ $w =~ $without ]] || continue
    for i in "${!names[@]}"; do
      if [[ " ${servers[*]} " = *" $w "* ]]; then run_server "$r" "$w" "${names[$i]}" "${prefixes[$i]}"
      else run_cpu "$r" "$w" "${names[$i]}" "${prefixes[$i]}"; fi
    done
  done
done
{
  echo "machine: $(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), Linux $(uname -r); $rounds rounds$( ((quick)) && echo ', quick'), $(($(date +%s) - begin)) s, load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"
  for i in "${!names[@]}"; do echo "- ${names[$i]}: '${prefixes[$i]}'"; done
  tables "$raw"
} | tee "$out/table.md"
