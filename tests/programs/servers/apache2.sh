#!/bin/bash
# apache2, event MPM: a load over kept and fresh connections, CGI, a graceful restart under load, the end.
# time: 400
# packages: apache2-bin apache2-utils
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); mkdir -p www/cgi; seq 1 500 >www/page.txt; m=/usr/lib/apache2/modules
printf '#!/bin/sh\necho "Content-Type: text/plain"; echo; echo "query $QUERY_STRING"\n' >www/cgi/echo; chmod +x www/cgi/echo
cat >apache.conf <<C
ServerRoot $PWD
ServerName localhost
Listen 127.0.0.1:$port
PidFile $PWD/apache.pid
ErrorLog $PWD/error.log
DefaultRuntimeDir $PWD
$([ "$(id -u)" != 0 ] || echo "User nobody
Group nogroup")
LoadModule mpm_event_module $m/mod_mpm_event.so
LoadModule authz_core_module $m/mod_authz_core.so
LoadModule mime_module $m/mod_mime.so
LoadModule alias_module $m/mod_alias.so
LoadModule cgid_module $m/mod_cgid.so
LoadModule deflate_module $m/mod_deflate.so
LoadModule rewrite_module $m/mod_rewrite.so
TypesConfig /etc/mime.types
StartServers 2
ThreadsPerChild 32
MinSpareThreads 8
MaxSpareThreads 256
MaxRequestWorkers 256
KeepAliveTimeout 60
MaxKeepAliveRequests 0
DocumentRoot $PWD/www
ScriptSock $PWD/cgid.sock
ScriptAlias /cgi/ $PWD/www/cgi/
RewriteEngine on
RewriteRule ^/re/(\d+)$ /page.txt?\$1
C
touch mime.types; [ -e /etc/mime.types ] || sed -i "s,/etc/mime.types,$PWD/mime.types," apache.conf
start apache2 -DFOREGROUND -f "$PWD/apache.conf"
ready curl -sf "http://127.0.0.1:$port/page.txt"
curl -sf --compressed "http://127.0.0.1:$port/page.txt" | sha256sum
curl -sf "http://127.0.0.1:$port/cgi/echo?a=b"
curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/missing"
load_http "http://127.0.0.1:$port/page.txt" -k -n 8000 -c 16
load_http "http://127.0.0.1:$port/re/55" -n 2000 -c 8
ab -q -n 4000 -c 8 "http://127.0.0.1:$port/page.txt" >restart.out 2>&1 & load=$!
kill -USR1 "$server"; wait "$load" || true; grep -E '^(Complete|Failed)' restart.out
curl -sf "http://127.0.0.1:$port/page.txt" | sha256sum
finish TERM
grep -iE 'segfault|exit signal' error.log || true
echo ok
