#!/bin/bash
# lighttpd: static pages and CGI under load, a graceful end.
# time: 300
# packages: lighttpd apache2-utils
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); mkdir -p www; seq 1 500 >www/page.txt; printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\nquery $QUERY_STRING\\n"\n' >www/echo.sh
cat >lighttpd.conf <<C
server.document-root = "$PWD/www"
server.port = $port
server.bind = "127.0.0.1"
server.modules = ("mod_rewrite", "mod_cgi")
cgi.assign = (".sh" => "/bin/sh")
url.rewrite-once = ("^/re/(\d+)" => "/page.txt?\$1")
mimetype.assign = (".txt" => "text/plain")
C
start lighttpd -D -f lighttpd.conf
ready port_open "$port"
curl -sf "http://127.0.0.1:$port/page.txt" | sha256sum
curl -sf "http://127.0.0.1:$port/echo.sh?a=b"
curl -s -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/missing"
load_http "http://127.0.0.1:$port/page.txt" -k -n 10000 -c 16
load_http "http://127.0.0.1:$port/re/55" -n 3000 -c 8
load_http "http://127.0.0.1:$port/echo.sh?x" -n 100 -c 4
finish INT
echo ok
