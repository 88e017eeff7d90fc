#!/bin/bash
# nginx with four workers: a load, a reload, an upgrade of the running program by USR2, a graceful end; no request fails.
# time: 300
# packages: nginx apache2-utils
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); mkdir -p www t; seq 1 500 >www/page.txt
user=; [ "$(id -u)" != 0 ] || user="user nobody nogroup;"
cat >nginx.conf <<C
$user worker_processes 4; pid $PWD/nginx.pid; error_log $PWD/error.log warn;
events { worker_connections 256; }
http { access_log off; keepalive_requests 1000000; client_body_temp_path $PWD/t/b; proxy_temp_path $PWD/t/p; fastcgi_temp_path $PWD/t/f; uwsgi_temp_path $PWD/t/u;
  scgi_temp_path $PWD/t/s; gzip on; server { listen 127.0.0.1:$port; root $PWD/www; location ~ ^/re/(\d+)\$ { return 200 "n\$1"; } } }
C
# As a daemon: one that is in the foreground doesn't upgrade.
$WRAP "$(command -v nginx)" -p "$PWD" -c "$PWD/nginx.conf"
server=
ready test -s nginx.pid
server=$(cat nginx.pid)
ready port_open "$port"
workers() { tr ' ' '\n' <"/proc/$1/task/$1/children" | grep -c . || true; }
has_workers() { [ "$(workers "$(cat nginx.pid)")" = "$1" ]; }
children() { cat "/proc/$1/task/$1/children"; }
changed() { [ "$(children "$server")" != "$before" ] && has_workers 4; }
ready has_workers 4
curl -sf "http://127.0.0.1:$port/page.txt" | sha256sum
curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/missing"
curl -s "http://127.0.0.1:$port/re/123"; echo
load_http "http://127.0.0.1:$port/page.txt" -k -n 10000 -c 16
load_http "http://127.0.0.1:$port/page.txt" -n 3000 -c 8
before=$(children "$server")
ab -q -n 8000 -c 8 "http://127.0.0.1:$port/page.txt" >reload.out 2>&1 & load=$!
kill -HUP "$server"; ready changed; wait "$load"; grep -E '^(Complete|Failed)' reload.out
ab -q -n 8000 -c 8 "http://127.0.0.1:$port/page.txt" >upgrade.out 2>&1 & load=$!
kill -USR2 "$server"; ready test -s nginx.pid.oldbin; ready has_workers 4
old=$server; server=
kill -QUIT "$old"; ready test ! -e nginx.pid.oldbin; wait "$load"; grep -E '^(Complete|Failed)' upgrade.out
server=$(cat nginx.pid)
curl -sf "http://127.0.0.1:$port/page.txt" | sha256sum
old=$server; server=
kill -QUIT "$old"; ready test ! -e nginx.pid; echo "ended"
grep -cE 'on signal (4|5|6|7|8|11)|alert|emerg' error.log || true
echo ok
