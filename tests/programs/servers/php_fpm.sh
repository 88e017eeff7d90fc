#!/bin/bash
# php-fpm behind nginx: pages under load, a reload, a script that fails.
# time: 400
# packages: php-fpm nginx apache2-utils
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); mkdir -p www t run; [ -z "$ordinary" ] || chown nobody run
cat >www/page.php <<'P'
<?php $n = (int)($_GET["n"] ?? 100); $a = []; for ($i = 0; $i < $n; $i++) $a[$i % 17] = ($a[$i % 17] ?? "") . chr(97 + $i % 26);
ksort($a); echo md5(implode(",", $a)), " ", preg_match_all("/a.c/", $a[0] ?? ""), " ", strlen(serialize($a)), "\n";
P
echo '<?php throw new Exception("no");' >www/fails.php
cat >fpm.conf <<C
[global]
error_log = $PWD/fpm.log
daemonize = no
[www]
listen = $PWD/run/fpm.sock
listen.mode = 0666
$([ "$(id -u)" != 0 ] || printf 'user = nobody\ngroup = nogroup\n')
pm = static
pm.max_children = 4
C
cat >nginx.conf <<C
$([ "$(id -u)" != 0 ] || echo "user nobody nogroup;") daemon off; pid $PWD/nginx.pid; error_log $PWD/nginx.log; events { }
http { access_log off; client_body_temp_path $PWD/t/b; proxy_temp_path $PWD/t/p; fastcgi_temp_path $PWD/t/f; uwsgi_temp_path $PWD/t/u; scgi_temp_path $PWD/t/s;
  server { listen 127.0.0.1:$port; location / { fastcgi_pass unix:$PWD/run/fpm.sock; fastcgi_param SCRIPT_FILENAME $PWD/www\$fastcgi_script_name;
  fastcgi_param QUERY_STRING \$query_string; fastcgi_param REQUEST_METHOD \$request_method; } } }
C
start "$(ls /usr/sbin/php-fpm* | tail -1)" -n -F -y "$PWD/fpm.conf"
ready test -S run/fpm.sock
nginx -p "$PWD" -c "$PWD/nginx.conf" & front=$!
trap 'end_all; kill $front' EXIT
ready curl -sf "http://127.0.0.1:$port/page.php"
for n in 10 1000 50000; do curl -sf "http://127.0.0.1:$port/page.php?n=$n"; done
curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/fails.php"
load_http "http://127.0.0.1:$port/page.php?n=2000" -n 3000 -c 8
running() { [ "$(tr ' ' '\n' <"/proc/$server/task/$server/children" | grep -c .)" = 4 ]; }
kill -USR2 "$server"; ready running; ready curl -sf "http://127.0.0.1:$port/page.php"
load_http "http://127.0.0.1:$port/page.php?n=2000" -n 1000 -c 4
finish QUIT
grep -ciE 'SIGSEGV|SIGTRAP|SIGILL|SIGBUS' fpm.log || true
kill -QUIT $front; wait $front; trap end_all EXIT
echo ok
