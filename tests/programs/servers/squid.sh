#!/bin/bash
# varnish (which compiles its configuration) behind squid, in front of nginx: hits, misses, large bodies, a load, reloads.
# time: 400
# packages: squid varnish nginx apache2-utils gcc libc6-dev
set -eu
. "$(dirname "$0")/../lib/server.sh"
origin=$(free_port); middle=$(free_port); port=$(free_port); mkdir -p t www work; seq 1 20000 >www/page.txt; seq 1 500000 >www/large.txt; [ -z "$ordinary" ] || chmod -R 777 t work .
cat >nginx.conf <<C
$([ "$(id -u)" != 0 ] || echo "user nobody nogroup;") daemon off; pid $PWD/nginx.pid; error_log $PWD/nginx.log; events { }
http { access_log off; client_body_temp_path $PWD/t/b; proxy_temp_path $PWD/t/p; fastcgi_temp_path $PWD/t/f; uwsgi_temp_path $PWD/t/u; scgi_temp_path $PWD/t/s;
  server { listen 127.0.0.1:$origin; root $PWD/www; add_header Cache-Control max-age=300; } }
C
nginx -p "$PWD" -c "$PWD/nginx.conf" 2>/dev/null & back=$!
trap 'end_all; kill $back ${varnish:-} 2>/dev/null || true' EXIT
cat >default.vcl <<C
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "$origin"; }
sub vcl_recv { if (req.url ~ "^/refused") { return (synth(403, "No")); } set req.http.x-n = regsub(req.url, "^/(.).*", "\1"); }
sub vcl_deliver { set resp.http.x-hit = obj.hits > 0; set resp.http.x-n = req.http.x-n; unset resp.http.via; }
C
start varnishd -F -j none -a "127.0.0.1:$middle" -f "$PWD/default.vcl" -n "$PWD/work" -s malloc,32m -T none -S none; varnish=$server
ready curl -sf "http://127.0.0.1:$middle/page.txt" -o /dev/null
cat >squid.conf <<C
http_port 127.0.0.1:$port accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent $middle 0 no-query originserver name=m
http_access allow all
cache_mem 16 MB
maximum_object_size_in_memory 256 KB
pid_filename $PWD/squid.pid
access_log none
cache_log $PWD/squid.log
coredump_dir $PWD
shutdown_lifetime 1 seconds
pinger_enable off
$([ -z "$ordinary" ] || echo "cache_effective_user nobody
cache_effective_group nogroup")
visible_hostname localhost
C
start squid -N -f "$PWD/squid.conf"
ready curl -sf "http://127.0.0.1:$port/page.txt" -o /dev/null
for path in page.txt large.txt page.txt refused missing; do curl -s -o body -w '%{http_code} ' "http://127.0.0.1:$port/$path"; grep -q html body || sha256sum <body; echo; done
curl -s -o /dev/null -D - "http://127.0.0.1:$middle/page.txt" | grep -iE '^x-(hit|n):' | tr -d '\r' | sort
load_http "http://127.0.0.1:$port/page.txt" -k -n 3000 -c 16
load_http "http://127.0.0.1:$middle/page.txt" -k -n 3000 -c 16
ab -q -n 2000 -c 8 "http://127.0.0.1:$port/page.txt" >restart.out 2>&1 & load=$!
kill -HUP "$server"; wait "$load" || true; ready curl -sf "http://127.0.0.1:$port/page.txt"; curl -sf "http://127.0.0.1:$port/page.txt" | sha256sum
finish TERM
server=$varnish; finish TERM
grep -ciE 'signal|assert|panic' log || true
echo ok
