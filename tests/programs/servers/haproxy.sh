#!/bin/bash
# haproxy with two threads before a web server: a load through it, a reload of its configuration under load, sticky headers, the end; no request fails.
# time: 300
# packages: haproxy apache2-utils nginx
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); back=$(free_port); mkdir -p www t; seq 1 500 >www/page.txt
cat >back.conf <<C
$([ "$(id -u)" != 0 ] || echo "user nobody nogroup;") daemon off; pid $PWD/back.pid; error_log $PWD/back.log; events { }
http { access_log off; client_body_temp_path $PWD/t/b; proxy_temp_path $PWD/t/p; fastcgi_temp_path $PWD/t/f; uwsgi_temp_path $PWD/t/u; scgi_temp_path $PWD/t/s;
  server { listen 127.0.0.1:$back; root $PWD/www; keepalive_requests 1000000; } }
C
nginx -p "$PWD" -c "$PWD/back.conf" & backend=$!
trap 'end_all; kill $backend' EXIT
cat >haproxy.conf <<C
global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend f
  bind 127.0.0.1:$port
  http-request deny if { path_beg /no }
  http-response set-header X-Proxy here
  default_backend b
backend b
  server s 127.0.0.1:$back
C
# The master loses signals that come before it has started or reloaded, natively too.
master_works() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(100); s.connect("m"); s.send(b"show proc\n"); assert b"worker" in s.recv(4096)'; }
start haproxy -W -S "$PWD/m" -f haproxy.conf -p "$PWD/haproxy.pid"
ready curl -sf "http://127.0.0.1:$port/page.txt"
curl -sfi "http://127.0.0.1:$port/page.txt" | grep -ai x-proxy
curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/no"
load_http "http://127.0.0.1:$port/page.txt" -k -n 8000 -c 16
ready master_works
ab -q -n 5000 -c 8 "http://127.0.0.1:$port/page.txt" >reload.out 2>&1 & load=$!
kill -USR2 "$server"; wait "$load" || true; grep -E '^(Complete|Failed)' reload.out
ready curl -sf "http://127.0.0.1:$port/page.txt"; load_http "http://127.0.0.1:$port/page.txt" -n 2000 -c 8
ready grep -q 'Former worker' log; ready master_works
finish USR1
grep -ciE 'segfault|killed|BUG' log || true
kill -QUIT $backend; wait $backend; trap end_all EXIT
echo ok
