#!/bin/bash
# PostgreSQL: a new cluster, pgbench with eight clients (sums must come out even), parallel queries, procedures,
# a vacuum, shutdown.
# time: 900
# packages: postgresql-15 postgresql-contrib
set -eu
. "$(dirname "$0")/../lib/server.sh"
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1); port=$(free_port)
mkdir data run; [ -z "$ordinary" ] || chown nobody data run
as() { $ordinary "$@"; }
$WRAP $ordinary "$bin/initdb" -D data -U tester -A trust --no-sync --locale=C --encoding=UTF8 | grep -c ok
start $ordinary "$bin/postgres" -D data -p "$port" -k "$PWD/run" -c listen_addresses= -c fsync=off -c max_parallel_workers_per_gather=2 -c autovacuum_naptime=1
sql() { as psql -h "$PWD/run" -p "$port" -U tester -d postgres -XAtq -v ON_ERROR_STOP=0 "$@" 2>&1; }
ready sql -c 'select 1'
as pgbench -h "$PWD/run" -p "$port" -U tester -i -s 2 -q postgres >/dev/null 2>&1
as pgbench -h "$PWD/run" -p "$port" -U tester -c 8 -j 2 -t 200 -n postgres 2>&1 | grep -E '^number of (transactions actually|failed)'
sql -c 'select sum(abalance) = (select sum(delta) from pgbench_history), count(*) from pgbench_accounts' -c 'select count(*) from pgbench_history'
sql -c "create table t as select i, md5(i::text) m, (i * 7919) % 1009 k from generate_series(1, 60000) i" -c "create index on t using btree (k)" -c "create index on t using hash (m)" \
	-c "set min_parallel_table_scan_size = 0" -c "set parallel_setup_cost = 0" -c "select count(*), sum(k), max(m) from t where m like '%a%'" \
	-c "select k, count(*), string_agg(i::text, ',' order by i) from t where i < 3000 group by k order by 2 desc, 1 limit 3" \
	-c "select regexp_replace('foobarbaz', 'b(..)', 'X\\1Y', 'g'), '{\"a\":[1,2]}'::jsonb #> '{a,1}', to_tsvector('english', 'the quick foxes')" \
	-c "select 1 / 0" -c "do \$\$ begin raise exception 'from plpgsql'; exception when others then raise notice 'caught %', sqlerrm; end \$\$"
as pgbench -h "$PWD/run" -p "$port" -U tester -c 4 -j 2 -t 100 -n -S postgres 2>&1 | grep -E '^number of (transactions actually|failed)'
sql -c 'vacuum analyze' -c 'select count(*) from t'
finish INT
echo ok
