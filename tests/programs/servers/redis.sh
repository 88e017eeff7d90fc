#!/bin/bash
# redis-server with I/O threads: its own benchmark, scripts, a background save and a background rewrite under load, restart from the files.
# time: 400
# packages: redis-server redis-tools
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port)
serve() { start redis-server --port "$port" --bind 127.0.0.1 --io-threads 2 --io-threads-do-reads yes --appendonly yes --save '' --dir "$PWD"; ready loaded; }
loaded() { [ "$(redis-cli -p "$port" ping)" = PONG ]; }
r() { redis-cli -p "$port" "$@"; }
info_is() { r info persistence | tr -d '\r' | grep -qx "$1"; }
serve
redis-benchmark -p "$port" -n 8000 -c 20 -P 8 -t set,get,incr,lpush,rpop,sadd,hset,zadd,mset --csv | tail -n +2 | cut -d, -f1
r flushall
for i in $(seq 1 300); do echo "set key:$i value$i"; echo "zadd z $((i * 7919 % 1009)) m$i"; echo "rpush l $i"; done | r --pipe | tail -1
r eval 'local s = 0 for i = 1, 300 do s = s + #redis.call("get", "key:" .. i) end return s' 0
redis-benchmark -p "$port" -n 20000 -c 10 -P 8 -t incr -q >/dev/null & load=$!
r bgsave >/dev/null; ready info_is rdb_bgsave_in_progress:0; r info persistence | grep -c 'rdb_last_bgsave_status:ok'
r bgrewriteaof >/dev/null; ready info_is aof_rewrite_in_progress:0; r info persistence | grep -c 'aof_last_bgrewrite_status:ok'
wait "$load"
r zrange z 0 4; r lrange l 0 3; r llen l; r get counter:__rand_int__
finish TERM
serve
r get key:77; r zcard z; r get counter:__rand_int__
finish TERM
grep -ciE 'crash|assert' log || true
echo ok
