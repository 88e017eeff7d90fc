# Sourced by bench.sh: -F, life cycles of servers and processes that a wrapper must not disturb.
fx() { # NAME PREFIX
  local name=$1 pre mark d pf st p n v; eval "pre=($2)"; v=MARK_$name; mark=${!v:-}
  under() { [[ -z "$mark" ]] && { echo -; return; }; local m; m=$(cat "/proc/$1/maps" 2>/dev/null); [[ -n "$m" ]] || { echo '?'; return; }; grep -qE "$mark" <<<"$m" && echo under || echo NATIVE; }
  res() { printf '%-12s %-28s %-6s %s\n' "$name" "$1" "$2" "${3:-}" | tee -a "$out/func.txt"; }
  get() { timeout 10 curl -s "http://127.0.0.1:$port/1k.html" | cmp -s - "$DATA/www/1k.html"; }
  waitup() { for _ in $(seq 800); do up "$port" && return 0; sleep 0.025; done; return 1; }
  swapped() { local x i; for i in $(seq 300); do x=" $(ps -o pid= --ppid "$1" | xargs) "; for i in $2; do [[ "$x" = *" $i "* ]] && x=; done; [[ -n "${x// /}" ]] && return 0; sleep 0.05; done; return 1; } # PARENT OLDKIDS
  waitpid() { p=; for _ in $(seq 200); do p=$(cat "$d/${1:-pid}" 2>/dev/null); [[ -n "$p" ]] && return; sleep 0.05; done; }
  gone() { for _ in $(seq 300); do live "$1" || return 0; sleep 0.05; done; return 1; }
  endpid() { [[ -n "$1" ]] && { kill -TERM "$1" 2>/dev/null; gone "$1" || { kill -KILL "$1" 2>/dev/null; return 1; }; }; }

  # signals, faults, forks, self-modifying code
  st=$(timeout 60 "${pre[@]}" "$DATA/bin/sigs" 2>"$tmp/err"); [[ "$st" = "usr 1000 segv 100 alarms ok kids 20 smc 19900" ]] && res signals-smc PASS || res signals-smc FAIL "$st $(tail -1 "$tmp/err")"
  # exit status, fatal signal
  timeout 20 "${pre[@]}" /bin/dash -c 'exit 7' 2>/dev/null; [[ $? = 7 ]] && res exit-status PASS || res exit-status FAIL
  timeout 20 "${pre[@]}" /bin/dash -c 'kill -SEGV $$' >/dev/null 2>&1; n=$?; [[ $n = 139 ]] && res fatal-signal PASS || res fatal-signal FAIL "rc $n"
  # a script with a #! line
  printf '#!/bin/dash\necho script\n' >"$tmp/s.sh"; chmod +x "$tmp/s.sh"
  [[ "$(timeout 20 "${pre[@]}" "$tmp/s.sh" 2>/dev/null)" = script ]] && res shebang-script PASS || res shebang-script FAIL
  # nginx: 4 workers, reload, one worker killed, graceful quit
  nextport; d=$tmp/fx.ng.$name; nginx_conf "$d" "$port" 4 off
  if start "$d/log" "" "${pre[@]}" /usr/sbin/nginx -p "$d" -c "$d/nginx.conf" && sleep 1 && get; then
    p=$(cat "$d/nginx.pid"); n=$(ps -o pid= --ppid "$p" | wc -l); v=; for w in $(ps -o pid= --ppid "$p"); do v+=" $(under "$w")"; done
    [[ $n = 4 ]] && res nginx-4-workers PASS "workers:$v" || res nginx-4-workers FAIL "$n workers"
    timeout 30 wrk -t1 -c16 -d2s "http://127.0.0.1:$port/1k.html" >"$d/wrk" 2>&1; grep -qE 'Non-2xx' "$d/wrk" && res nginx-4-load FAIL || res nginx-4-load PASS "$(awk '/^Requests.sec/{print $2}' "$d/wrk") req/s"
    a=$(ps -o pid= --ppid "$p" | xargs); t0=$(nowms); kill -HUP "$p"; swapped "$p" "$a"; v="$(($(nowms) - t0)) ms; workers:"; b=$(ps -o pid= --ppid "$p" | xargs); for w in $b; do v+=" $(under "$w")"; done
    get && [[ "$a" != "$b" && $(wc -w <<<"$b") = 4 ]] && res nginx-reload PASS "$v" || res nginx-reload FAIL "$a -> $b after $v"
    w=$(awk '{print $1}' <<<"$b"); kill -SEGV "$w"; sleep 2; b=$(ps -o pid= --ppid "$p" | xargs); get && [[ $(wc -w <<<"$b") = 4 ]] && res nginx-worker-crash PASS "worker replaced" || res nginx-worker-crash FAIL "$b"
    kill -QUIT "$p"; gone "$p" && res nginx-quit PASS || { res nginx-quit FAIL; stop "$d/nginx.pid"; }
  else res nginx-4-workers FAIL "no start: $(tail -2 "$d/log")"; stop "$d/nginx.pid"; fi
  # nginx: daemon on
  nextport; d=$tmp/fx.ngd.$name; nginx_conf "$d" "$port" 2 on
  timeout 60 "${pre[@]}" /usr/sbin/nginx -p "$d" -c "$d/nginx.conf" >"$d/log" 2>&1 </dev/null; n=$?
  waitup; waitpid nginx.pid
  if [[ -n "$p" ]] && get; then res nginx-daemon PASS "rc $n master $(under "$p") worker $(under "$(ps -o pid= --ppid "$p" | head -1 | tr -d ' ')")"; else res nginx-daemon FAIL "rc $n $(tail -1 "$d/log")"; fi
  # "nginx -s reload" and "-s quit" as separate processes, also wrapped
  if [[ -n "$p" ]]; then a=$(ps -o pid= --ppid "$p" | xargs); timeout 60 "${pre[@]}" /usr/sbin/nginx -p "$d" -c "$d/nginx.conf" -s reload 2>/dev/null; swapped "$p" "$a"; b=$(ps -o pid= --ppid "$p" | xargs)
    swapped "$p" "$a" && get && res nginx-s-reload PASS || res nginx-s-reload FAIL "$a -> $b"; endpid "$p" && res nginx-daemon-stop PASS || res nginx-daemon-stop FAIL; fi
  # redis: BGSAVE (fork), AOF rewrite, restart from the dump
  nextport; d=$tmp/fx.rd.$name; mkdir -p "$d"
  rs=(/usr/bin/redis-server --port "$port" --bind 127.0.0.1 --dir "$d" --pidfile "$d/pid" --save '' --loglevel notice)
  if start "$d/log" "" "${pre[@]}" "${rs[@]}" --daemonize no; then
    redis-cli -p "$port" eval 'for i=1,200000 do redis.call("set","k"..i,string.rep("v",i%100)) end return 1' 0 >/dev/null
    a=$(redis-cli -p "$port" debug digest 2>/dev/null | head -c 40); redis-cli -p "$port" bgsave >/dev/null
    n=no; v=-; t0=$(nowms); for _ in $(seq 1200); do w=$(ps -o pid= --ppid "$(cat "$d/pid")" | head -1 | tr -d ' '); [[ -n "$w" && "$v" = - ]] && v=$(under "$w"); redis-cli -p "$port" info persistence | tr -d '\r' >"$d/i"; grep -q '^rdb_bgsave_in_progress:0' "$d/i" && { n=$(sed -n 's/^rdb_last_bgsave_status://p' "$d/i"); break; }; sleep 0.05; done
    [[ $n = ok && -s $d/dump.rdb ]] && res redis-bgsave PASS "child $v, $(($(nowms) - t0)) ms, cow $(sed -n 's/^rdb_last_cow_size://p' "$d/i")" || res redis-bgsave FAIL "$n"
    redis-cli -p "$port" config set appendonly yes >/dev/null; sleep 3; redis-cli -p "$port" info persistence | tr -d '\r' | grep -q '^aof_last_bgrewrite_status:ok' && res redis-aof-rewrite PASS || res redis-aof-rewrite FAIL
    stop "$d/pid" && res redis-term PASS || res redis-term FAIL
    rm -rf "$d"/appendonlydir
    nextport; rs[2]=$port
    timeout 60 "${pre[@]}" "${rs[@]}" --daemonize yes >"$d/log2" 2>&1 </dev/null; waitup; waitpid; n=; for _ in $(seq 200); do n=$(redis-cli -p "$port" dbsize 2>/dev/null); [[ "$n" = 200000 ]] && break; sleep 0.05; done
    [[ "$n" = 200000 ]] && res redis-daemonize-reload PASS "$(under "$p")" || res redis-daemonize-reload FAIL "$n $(tail -1 "$d/log2")"
    endpid "$p" && res redis-daemon-stop PASS || res redis-daemon-stop FAIL
  else res redis-start FAIL "$(tail -2 "$d/log")"; stop "$d/pid"; fi
  # memcached and lighttpd as daemons
  nextport; d=$tmp/fx.mc.$name; mkdir -p "$d"
  timeout 60 "${pre[@]}" /usr/bin/memcached -d -u root -l 127.0.0.1 -p "$port" -U 0 -P "$d/pid" >"$d/log" 2>&1 </dev/null; waitup; waitpid
  v=$(timeout 60 "$DATA/bin/mcload" "$port" 8 20000 1000 2>&1) && res memcached-daemon PASS "$(under "$p") ${v%% *} ops/s" || res memcached-daemon FAIL "$v $(tail -1 "$d/log")"
  endpid "$p" && res memcached-stop PASS || res memcached-stop FAIL
  nextport; d=$tmp/fx.lt.$name; mkdir -p "$d"
  printf 'server.document-root = "%s"\nserver.port = %s\nserver.bind = "127.0.0.1"\nserver.pid-file = "%s"\nmimetype.assign = (".html" => "text/html")\n' "$DATA/www" "$port" "$d/pid" >"$d/l.conf"
  timeout 60 "${pre[@]}" /usr/sbin/lighttpd -f "$d/l.conf" >"$d/log" 2>&1 </dev/null; waitup; waitpid
  get && res lighttpd-daemon PASS "$(under "$p")" || res lighttpd-daemon FAIL "$(tail -1 "$d/log")"
  endpid "$p" && res lighttpd-stop PASS || res lighttpd-stop FAIL
}
