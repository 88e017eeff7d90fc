# Sourced by bench.sh: starting, loading, measuring and stopping servers.
port=18100
sess() { ps -o pid= --sid "$1" 2>/dev/null; }
cputicks() { local p t=0 l; for p in $(sess "$1"); do { read -r l <"/proc/$p/stat"; } 2>/dev/null || continue; l=${l##*) }; set -- $l; t=$((t + ${12} + ${13})); done; echo $t; }
pss() { local p; for p in $(sess "$1"); do awk '/^Pss:/{s+=$2} END{print s+0}' "/proc/$p/smaps_rollup" 2>/dev/null; done | awk '{s+=$1} END{print s+0}'; }
up() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
nowms() { local t=${EPOCHREALTIME/./}; echo $((t / 1000)); }
nextport() { port=$((port + 1)); while up "$port"; do port=$((port + 1)); done; }
live() { local l; { read -r l <"/proc/$1/stat"; } 2>/dev/null || return 1; l=${l##*) }; [[ $l != Z* && $l != X* ]]; } # zombies wait for a slow init
pin() { if [[ "$PINSRV" = 1 ]]; then echo "taskset -c $1"; fi; }
start() { # LOG PIN COMMAND... ; sets sid, ready (s)
  local log=$1 cpu=$2 t0; shift 2
  t0=$(nowms)
  setsid $cpu "$@" </dev/null >"$log" 2>&1 &
  sid=$!
  for _ in $(seq 2400); do
    up "$port" && { ready=$(awk "BEGIN{print ($(nowms) - $t0) / 1000}"); return 0; }
    [[ -n "$(sess $sid)" ]] || return 1
    sleep 0.025
  done
  return 1
}
stop() { # PIDFILE ; 0 if all went within 20 s of a SIGTERM
  local p rc=0
  p=$(cat "$1" 2>/dev/null) || p=
  if [[ -n "$p" && -d /proc/$p ]]; then kill -TERM "$p" 2>/dev/null; else for p in $(sess "$sid"); do kill -TERM "$p" 2>/dev/null; done; fi
  for _ in $(seq 400); do [[ -n "$(sess "$sid")" ]] || { wait "$sid" 2>/dev/null; return 0; }; sleep 0.05; done
  for p in $(sess "$sid"); do kill -KILL "$p" 2>/dev/null; done
  wait "$sid" 2>/dev/null
  return 1
}
ms() { sed -E 's/us$//;t u;s/ms$//;t m;s/s$//;s/$/ 1000/;b;:u;s/$/ 0.001/;b;:m;s/$/ 1/' <<<"$1" | awk '{print $1 * $2}'; }
emit() { printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@" | tee -a "$raw" | sed 's/^/  /' >&2; }

run_server() { # ROUND WORKLOAD NAME PREFIX
  local round=$1 w=$2 name=$3 pre d rps=- p99=- st=ok t0 t1 cpu=- mem=- ops a b secs
  eval "pre=($4)"
  nextport; d=$tmp/$w.$name.$round; mkdir -p "$d"
  case $w in
    nginx*) nginx_conf "$d" "$port" 1 off; set -- "$(pin 0)" "${pre[@]}" /usr/sbin/nginx -p "$d" -c "$d/nginx.conf"; pf=$d/nginx.pid ;;
    lighttpd) printf 'server.document-root = "%s"\nserver.port = %s\nserver.bind = "127.0.0.1"\nserver.pid-file = "%s"\nserver.max-keep-alive-requests = 1000000000\nmimetype.assign = (".html" => "text/html")\n' \
        "$DATA/www" "$port" "$d/pid" >"$d/l.conf"; set -- "$(pin 0)" "${pre[@]}" /usr/sbin/lighttpd -D -f "$d/l.conf"; pf=$d/pid ;;
    redis*) set -- "$(pin 0)" "${pre[@]}" /usr/bin/redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --daemonize no --dir "$d" --pidfile "$d/pid" --loglevel warning; pf=$d/pid ;;
    memcached) set -- "" "${pre[@]}" /usr/bin/memcached -u root -l 127.0.0.1 -p "$port" -U 0 -t 4 -m 256 -P "$d/pid"; pf=$d/pid ;;
  esac
  start "$d/log" "$@"; t0=$?
  # a wrapper that keeps file descriptors for itself can refuse memcached's setrlimit: once more at the limit
  if [[ $t0 != 0 && $w = memcached ]]; then echo "NOTE memcached under $name started only with -c $(($(ulimit -Hn) - 12)): $(tail -1 "$d/log")" | tee -a "$out/notes" >&2; start "$d/log" "$@" -c $(($(ulimit -Hn) - 12)); t0=$?; fi
  if [[ $t0 != 0 ]]; then
    emit "$round" "$w" "$name" "FAIL:start" - - - - - -; stop "$pf"; tail -5 "$d/log" >&2; return
  fi
  t0=$(cputicks "$sid")
  case $w in
    nginx* | lighttpd)
      [[ "$(timeout 20 curl -s "http://127.0.0.1:$port/1k.html" | sha256sum)" = "$(sha256sum <"$DATA/www/1k.html")" ]] || st=FAIL:content
      secs=$(q 8 3); [[ $w = nginx ]] || secs=$(q 4 2)
      if [[ $w = nginx-close ]]; then set -- -c 16 -H 'Connection: close'; else set -- -c 32; fi
      t0=$(cputicks "$sid")
      $(pin 1) timeout 60 wrk -t1 "$@" -d"${secs}s" --latency "http://127.0.0.1:$port/1k.html" >"$d/wrk" 2>&1 || st=FAIL:load
      rps=$(awk '/^Requests\/sec/{print $2}' "$d/wrk"); p99=$(ms "$(awk '$1=="99%"{print $2}' "$d/wrk")")
      ops=$(awk '/requests in/{print $1}' "$d/wrk")
      grep -qE 'Non-2xx|Socket errors' "$d/wrk" && [[ $st = ok ]] && { grep -E 'Non-2xx|Socket errors' "$d/wrk" >&2; grep -q Non-2xx "$d/wrk" && st=FAIL:errors; } ;;
    redis*)
      [[ "$(redis-cli -p "$port" set hello "w o r l d")/$(redis-cli -p "$port" get hello)/$(redis-cli -p "$port" eval 'local s=0 for i=1,1000 do s=s+i end return s' 0)" = "OK/w o r l d/500500" ]] || st=FAIL:content
      t0=$(cputicks "$sid")
      if [[ $w = redis-P1 ]]; then set -- -P 1 -n "$(q 300000 75000)"; else set -- -P 16 -n "$(q 2000000 500000)"; fi
      $(pin 1) timeout "$limit" redis-benchmark -h 127.0.0.1 -p "$port" -t set,get "$@" -c 50 -d 64 -r 100000 --csv >"$d/rb" 2>&1 || st=FAIL:load
      ops=$(($4 * 2))
      read -r rps p99 < <(awk -F'"' '/"SET"|"GET"/{t+=1/$4; if ($14>p) p=$14; n++} END{if (n==2) print n/t, p; else print "- -"}' "$d/rb")
      [[ "$(redis-cli -p "$port" dbsize)" -gt 50000 ]] || st=FAIL:dbsize ;;
    memcached)
      ops=$(q 400000 100000)
      timeout "$limit" "$DATA/bin/mcload" "$port" 32 "$ops" 20000 >"$d/mc" 2>&1 || st=FAIL:load
      read -r rps _ p99 _ _ <"$d/mc" ;;
  esac
  t1=$(cputicks "$sid"); mem=$(pss "$sid")
  stop "$pf" || { [[ $st = ok ]] && st=FAIL:stop; }
  [[ "${rps:--}" != - && "${ops:-0}" -gt 0 ]] && cpu=$(awk "BEGIN{printf \"%.3f\", ($t1 - $t0) * 10000 / $ops}") || st=${st/ok/FAIL:parse}
  # wall column: seconds per 1000 operations; cpu column: server CPU microseconds per operation
  emit "$round" "$w" "$name" "$st" "$(awk "BEGIN{if ($((${#rps})) && \"$rps\" != \"-\") printf \"%.6f\", 1000 / ${rps/-/1}; else print \"-\"}")" "$cpu" "$mem" "${rps:--}" "${p99:--}" "$ready"
}
