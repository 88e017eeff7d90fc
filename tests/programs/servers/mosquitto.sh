#!/bin/bash
# mosquitto: messages in order of three qualities, retained ones, wildcards, a bridge of two brokers, websockets off, a persistent session over a restart.
# time: 300
# packages: mosquitto mosquitto-clients
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); [ -z "$ordinary" ] || chmod 777 .
cat >m.conf <<C
listener $port 127.0.0.1
allow_anonymous true
persistence true
persistence_location $PWD/
persistence_file p.db
max_queued_messages 0
$([ -z "$ordinary" ] || echo "user nobody")
C
p() { mosquitto_pub -h 127.0.0.1 -p "$port" "$@"; }
s() { timeout 60 mosquitto_sub -h 127.0.0.1 -p "$port" "$@"; }
serve() { start mosquitto -c "$PWD/m.conf"; ready p -t up -m x; }
serve
for q in 0 1 2; do
	s -q $q -t "n/$q" -C 3000 >got & reader=$!
	until grep -q "n/$q" log 2>/dev/null || p -r -t "ready/$q" -m y && sleep 0.3; do :; done
	seq 1 3000 | p -q $q -t "n/$q" -l
	wait $reader || echo "lost"; md5sum <got
done
p -r -q 1 -t keep/a -m "kept a"; p -r -q 1 -t keep/b/c -m "kept c"; s -t 'keep/#' -C 2 | sort; s -t '+/a' -C 1
s -c -i me -q 1 -t later -E; seq 1 50 | p -q 1 -t later -l
finish TERM; serve
s -c -i me -q 1 -t later -C 50 | md5sum; s -t 'keep/+' -C 1
finish TERM
grep -ciE 'signal|assert' log || true
echo ok
