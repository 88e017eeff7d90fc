#!/bin/bash
# virtuoso: a large threaded SQL server: tables, joins, text, procedures, four sessions at once, a checkpoint, shutdown and the same data after a restart.
# time: 900
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port)
cat >virtuoso.ini <<C
[Database]
DatabaseFile = virt.db
ErrorLogFile = virt.log
LockFile = virt.lck
TransactionFile = virt.trx
xa_persistent_file = virt.pxa
ErrorLogLevel = 7
FileExtend = 200
TempStorage = TempDatabase
[TempDatabase]
DatabaseFile = virt-temp.db
TransactionFile = virt-temp.trx
[Parameters]
ServerPort = 127.0.0.1:$port
ServerThreads = 8
NumberOfBuffers = 2000
MaxDirtyBuffers = 1200
C
sql() { isql-vt "127.0.0.1:$port" dba dba ERRORS=STDOUT 2>&1 | sed -E 's/[0-9]+ msec\.?//; /^Connected|^Driver|^OpenLink|^Type|^SQL>|^$/d; s/at line [0-9]+ .*//; s/Lexical.*//'; }
serve() { start virtuoso-t +configfile virtuoso.ini +foreground +wait; ready answers; }
answers() { echo 'SELECT 41 + 1;' | isql-vt "127.0.0.1:$port" dba dba | grep -q 42; }
serve
{ echo 'create table t(i integer primary key, k integer, s varchar);'; for i in $(seq 1 400); do echo "insert into t values($i, $((i * 7919 % 101)), 'row $i');"; done; } | sql | sort | uniq -c
cat >queries <<Q
select count(*), sum(k), max(s) from t;
select k, count(*) from t group by k having count(*) > 3 order by 2 desc, 1;
select a.i, b.i from t a join t b on a.k = b.k and a.i < b.i where a.i < 10 order by 1, 2;
create procedure f(in n integer) { declare s integer; s := 0; while (n > 0) { s := s + n; n := n - 1; } return s; };
select f(1000);
select md5('x'), upper('abc'), substring('hello', 2, 3), regexp_match('b+', 'abbbc');
select * from missing;
Q
sql <queries
for n in 1 2 3 4; do for i in $(seq 1 60); do echo "update t set k = k + 1 where i = $((n * 80 + i % 60));"; done | sql >/dev/null & pids="${pids:-} $!"; done; wait $pids
echo 'select sum(k) from t; checkpoint; select count(*) from t;' | sql
echo 'shutdown;' | sql >/dev/null || true
status=0; wait "$server" || status=$?; echo "server: status $status"; server=
serve
echo 'select count(*), sum(k) from t;' | sql
finish TERM
echo ok
