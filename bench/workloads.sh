# Sourced by bench.sh: what is timed, and the inputs and helpers it needs.
make_helpers() {
  local h
  mkdir -p "$DATA/bin" "$DATA/www"
  for h in measure mcload sigs; do
    [[ "$DATA/bin/$h" -nt "$here/src/$h.c" ]] || gcc -O2 -w -s -o "$DATA/bin/$h" "$here/src/$h.c" || exit 1
  done
  [[ "$DATA/bin/cxx" -nt "$here/src/cxx.cc" ]] || g++ -O2 -w -s -pthread -o "$DATA/bin/cxx" "$here/src/cxx.cc" || exit 1
}
make_data() {
  [[ -f "$DATA/.done" ]] && return
  echo "making inputs under $DATA" >&2
  "$PY" "$here/inputs.py" "$DATA"
  head -c 8000000 "$DATA/mix30" >"$DATA/mix8"; head -c 2000000 "$DATA/mix30" >"$DATA/mix2"; head -200000 "$DATA/lines" >"$DATA/linesq"
  touch "$DATA/.done"
}

# cpu NAME REPS COMMAND... : timed as a whole process; REPS > 1: start-up, mean of REPS
cpus=() ; declare -A reps cmd srv
cpu() { cpus+=("$1"); reps[$1]=$2; local n=$1; shift 2; cmd[$n]=$(printf '%q ' "$@"); }
q() { if ((quick)); then echo "$2"; else echo "$1"; fi; }
workloads() {
  local mix=$DATA/$(q mix30 mix8)
  servers=(nginx nginx-close lighttpd redis-P1 redis-P16 memcached)
  cpu sqlite3 1 /usr/bin/sqlite3 -batch -init /dev/null :memory: ".read $DATA/$(q load loadq).sql"
  cpu python3 1 "$PY" "$here/src/load.py" "$(q 800 200)"
  cpu perl 1 "$PERL" "$here/src/load.pl" "$(q 2200 550)"
  cpu xz 1 /usr/bin/xz -9 -T1 -c "$DATA/$(q mix8 mix2)"
  cpu gzip 1 /usr/bin/gzip -9 -n -c "$mix"
  cpu bzip2 1 /bin/bzip2 -9 -c "$mix"
  cpu ossl-sha512 1 /usr/bin/openssl dgst -sha512 $(for i in $(seq "$(q 60 50)"); do echo "$mix"; done)
  cpu ossl-pbkdf2 1 /usr/bin/openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt pass:x -kdfopt salt:y -kdfopt "iter:$(q 8000000 2000000)" PBKDF2
  cpu gcc-O2 1 /bin/dash -c "/usr/bin/gcc -O2 -c -o $tmp/gen.o $DATA/$(q gen genq).c && /usr/bin/sha256sum <$tmp/gen.o"
  cpu sort 1 /usr/bin/sort --parallel=1 -S 200M -k2,3 $(q "$DATA/lines $DATA/lines $DATA/lines" "$DATA/linesq $DATA/linesq")
  cpu grep-P 1 /usr/bin/grep -cP '\b(\w{2,})\s.*\b\1\b.*[13579]$' "$DATA/text"
  cpu cxx-virtual 1 "$DATA/bin/cxx" virt "$(q 300000 75000)"
  cpu cxx-fib 1 "$DATA/bin/cxx" fib "$(q 44 41)"
  cpu cxx-qsort 1 "$DATA/bin/cxx" qsort "$(q 300 75)"
  cpu cxx-except 1 "$DATA/bin/cxx" exc "$(q 500000 125000)"
  cpu cxx-heap 1 "$DATA/bin/cxx" heap "$(q 6000000 1500000)"
  cpu cxx-switch 1 "$DATA/bin/cxx" switch "$(q 60000 15000)"
  cpu cxx-2threads 1 "$DATA/bin/cxx" mt "$(q 3000000 750000)"
  cpu fork-exec 1 /bin/dash -c 'i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; echo $i'
  cpu start-true 20 /bin/true
  cpu start-ls 20 /bin/ls /usr
  cpu start-python3 10 "$PY" -S -c pass
  cpu start-nginx-t 10 /usr/sbin/nginx -t -q -p "$tmp/ngt" -c "$tmp/ngt/nginx.conf"
  cpu start-gcc 5 /usr/bin/gcc -c -x c -o /dev/null /dev/null
  mkdir -p "$tmp/ngt"; nginx_conf "$tmp/ngt" 18999 1 off
}
nginx_conf() { # DIR PORT WORKERS DAEMON
  mkdir -p "$1"
  cat >"$1/nginx.conf" <<EOF
user root; worker_processes $3; daemon $4; pid $1/nginx.pid; error_log $1/error.log warn;
events { worker_connections 512; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type text/html;
  client_body_temp_path $1/b; proxy_temp_path $1/p; fastcgi_temp_path $1/f; uwsgi_temp_path $1/u; scgi_temp_path $1/s;
  server { listen 127.0.0.1:$2 reuseport; root $DATA/www; location ~ ^/re/(\\d+)\$ { return 200 "n\$1"; } } }
EOF
}
run_cpu() { # ROUND WORKLOAD NAME PREFIX
  local round=$1 w=$2 name=$3 pre c wall us sy rss rc st=ok h
  eval "pre=($4)"; eval "c=(${cmd[$w]})"
  # a prefix's first word must be an absolute path for execv
  if ((${#pre[@]})); then pre[0]=$(type -P "${pre[0]}") || { emit "$round" "$w" "$name" FAIL:nowrapper - - - - - -; return; }; fi
  read -r wall us sy rss rc < <("$DATA/bin/measure" -t "$limit" -n "${reps[$w]}" -o "$tmp/out" -e "$tmp/err" -- "${pre[@]}" "${c[@]}")
  h=$(sha256sum <"$tmp/out")
  if [[ $rc != 0 ]]; then st=FAIL:rc$rc
  elif [[ $name = NATIVE && ! -f "$tmp/ref.$w" ]]; then echo "$h" >"$tmp/ref.$w"
  elif [[ "$h" != "$(cat "$tmp/ref.$w")" ]]; then st=FAIL:output; fi
  [[ $st = ok ]] || { cp "$tmp/err" "$out/$w.$name.$round.err"; cp "$tmp/out" "$out/$w.$name.$round.out"; tail -3 "$tmp/err" >&2; }
  emit "$round" "$w" "$name" "$st" "$wall" "$(awk "BEGIN{print $us + $sy}")" "$rss" - - -
}

