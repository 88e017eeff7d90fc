#!/bin/bash
# sqlite3: a table of sixty thousand rows, indexes, joins, window functions, recursion, and a database file that another process reads.
# time: 120
set -eu
cat >load.sql <<'SQL'
create table t(id integer primary key, k integer, g integer, s text, r real);
with recursive c(i, x) as (select 1, 12345 union all select i + 1, (x * 1103515245 + 12345) & 2147483647 from c where i < 60000)
  insert into t select i, x % 10003, (x >> 8) % 97, 'row-' || (x % 5003) || '-' || hex(x), x / 7.0 from c;
create index tk on t(k); create index ts on t(s);
select count(*), sum(k), round(avg(r), 3) from t;
select g, count(*), max(s), sum(length(s)) from t group by g order by 3, 1 limit 10;
select count(*) from t a join t b on a.k = b.k and a.id < b.id;
select count(*) from t where s like '%9A%7%';
update t set k = (k * 31 + id) % 100003 where id % 3 = 0;
delete from t where id % 11 = 5;
select sum(k), count(distinct k), min(s), max(r) from t;
select id, rank() over (partition by g order by r desc) w from t order by w desc, id limit 5;
select json_group_array(k) from (select k from t order by k limit 20);
pragma integrity_check;
select nosuch from t;
SQL
status=0
$WRAP sqlite3 -batch -init /dev/null data.db ".read load.sql" 2>&1 || status=$?
echo "status $status"
$WRAP sqlite3 -batch -init /dev/null data.db "select count(*) from t"
echo ok
