#!/bin/bash
# MariaDB: a new data folder, mysqlslap with eight clients, transactions, procedures, a full-text and a spatial index, shutdown.
# time: 900
# packages: mariadb-server mariadb-client
set -eu
. "$(dirname "$0")/../lib/server.sh"
socket=$PWD/run/s; mkdir data run; [ -z "$ordinary" ] || chown nobody data run
mariadb-install-db --no-defaults ${ordinary:+--user=nobody} --datadir="$PWD/data" --auth-root-authentication-method=normal --skip-test-db >/dev/null 2>&1
start $ordinary mariadbd --no-defaults --datadir="$PWD/data" --socket="$socket" --skip-networking --pid-file="$PWD/run/pid" --innodb-buffer-pool-size=32M \
	--innodb-flush-log-at-trx-commit=0 --log-error="$PWD/run/err"
sql() { mariadb --no-defaults -u root -S "$socket" -N -f "$@" 2>&1; }
ready sql -e 'select 1'
sql -e "create database d; use d; create table t(i int primary key, k int, s varchar(40), key(k)) engine=innodb; insert into t select seq, seq * 7919 % 1009, concat('word', seq % 97, ' row ', seq) from seq_1_to_20000;
select count(*), sum(k) from t; select k, count(*) c from t group by k order by c desc, k limit 3; create table f(s varchar(40), fulltext(s)) engine=aria; insert into f select s from t; select count(*) from f where match(s) against('word7');
select json_extract('{\"a\":[1,2]}', '\$.a[1]'), sha2('x', 256), st_distance(point(0,0), point(3,4)); select regexp_replace('foobar', 'o+', '<\\\\0>');
select * from missing; start transaction; update t set k = 0; rollback; select sum(k) from t; with recursive c(n) as (select 1 union all select n + 1 from c where n < 500) select sum(n) from c" || echo "with an error"
mariadb-slap --no-defaults -u root -S "$socket" --concurrency=8 --iterations=1 --number-of-queries=2000 --auto-generate-sql --auto-generate-sql-load-type=mixed --engine=innodb --csv=slap.out
echo "slap ended"
for n in 1 2 3 4; do for i in $(seq 1 200); do echo "update t set k = k + 1 where i = $((n * 100 + i % 50));"; done | sql d & pids="${pids:-} $!"; done; wait $pids
sql d -e 'select sum(k) from t; check table t; select count(*) from t'
finish TERM
grep -ciE 'signal|assert|corrupt' run/err || true
echo ok
