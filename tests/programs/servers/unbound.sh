#!/bin/bash
# unbound, two threads, and named behind it: queries over UDP and TCP, local data, a zone signed on the fly, reloads under load.
# time: 400
# packages: unbound bind9 bind9-dnsutils bind9-utils
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); behind=$(free_port); mkdir named; [ -z "$ordinary" ] || chmod 777 named
cat >named/named.conf <<C
options { directory "$PWD/named"; listen-on port $behind { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file none; session-keyfile none; notify no; };
controls { };
zone "example" { type primary; file "example.zone"; dnssec-policy default; inline-signing yes; };
C
{ printf '$TTL 60\n@ IN SOA ns.example. root.example. 1 60 60 60 60\n@ IN NS ns\nns IN A 127.0.0.1\ntext IN TXT "some text"\nalias IN CNAME h7\n'
  for i in $(seq 1 300); do echo "h$i IN A 10.1.$((i / 256)).$((i % 256))"; done; } >named/example.zone
cat >unbound.conf <<C
server:
  interface: 127.0.0.1@$port
  num-threads: 2
  username: ""
  chroot: ""
  directory: "$PWD"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "local." static
  local-data: "a.local. A 10.9.9.9"
remote-control:
  control-enable: no
stub-zone:
  name: "example"
  stub-addr: 127.0.0.1@$behind
C
ask() { dig @127.0.0.1 -p "$1" +time=5 +tries=3 +short "${@:2}"; }
start named -f -n 2 -c "$PWD/named/named.conf" ; named=$server
trap 'kill $named 2>/dev/null || true; end_all' EXIT
ready test -n "$(until_true 60 dig @127.0.0.1 -p "$behind" +time=1 +tries=1 ns.example; ask "$behind" ns.example)"
signed() { ask "$behind" +dnssec h1.example | grep -q 'A 13'; }; ready signed
start unbound -d -c "$PWD/unbound.conf"
ready dig @127.0.0.1 -p "$port" +time=1 +tries=1 a.local
for name in a.local h7.example alias.example nothing.example; do for how in +notcp +tcp; do echo "$name: $(ask "$port" $how $name | tr '\n' ' ')"; done; done
ask "$port" text.example TXT; ask "$port" example NS; ask "$behind" example DNSKEY | wc -l; dig @127.0.0.1 -p "$behind" example AXFR | grep -c "IN.A.10"
for i in $(seq 1 300); do echo "h$i.example"; echo "h$i.local"; done >names
load() { dig @127.0.0.1 -p "$1" +time=5 +tries=3 +noall +answer -f names | grep -c '10\.'; }
load "$port" >one & first=$!; load "$port" >two & second=$!; load "$behind"; wait $first $second; cat one two
load "$port" >one & first=$!; kill -HUP "$server"; wait $first; cat one; load "$port"
sed -i 's/ 1 60 60/ 2 60 60/; s/some text/other text/' named/example.zone; kill -HUP $named
changed() { ask "$behind" text.example TXT | grep -q other; }; until_true 60 changed && echo "read again"
finish TERM
server=$named; finish TERM
grep -ciE 'assert|SIGSEGV|SIGTRAP|backtrace' log || true
echo ok
