#!/bin/bash
# slapd: a directory of 500 entries in LMDB, searches with filters and indexes, changes, sixteen clients, the same after a restart.
# time: 300
# packages: slapd ldap-utils
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); mkdir data; url=ldap://127.0.0.1:$port
cat >slapd.conf <<C
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $PWD/slapd.pid
database mdb
suffix "dc=example"
rootdn "cn=admin,dc=example"
rootpw secret
directory $PWD/data
index objectClass,uid eq
index cn eq,sub
C
bind="-x -H $url -D cn=admin,dc=example -w secret"
search() { ldapsearch -x -LLL -H $url -b dc=example "$@" | grep -v '^$'; }
serve() { start slapd -d 0 -h $url -f "$PWD/slapd.conf"; ready ldapsearch -x -H $url -b '' -s base; }
serve
{ printf 'dn: dc=example\nobjectClass: domain\ndc: example\n\n'; for i in $(seq 1 500); do
	printf 'dn: uid=u%s,dc=example\nobjectClass: inetOrgPerson\nuid: u%s\ncn: Name %s\nsn: S%s\nemployeeNumber: %s\n\n' $i $i $((i * 7919 % 500)) $((i % 9)) $i; done; } >all.ldif
ldapadd $bind -f all.ldif | grep -c adding
search uid=u77; search '(&(sn=S3)(cn=*7*))' uid | sort | md5sum; search '(cn=Name 4*)' cn | grep -c ^cn; search -E pr=50/noprompt '(sn=S*)' sn | grep -c ^sn
printf 'dn: uid=u5,dc=example\nchangetype: modify\nreplace: sn\nsn: changed\n\ndn: uid=u6,dc=example\nchangetype: delete\n' | ldapmodify $bind | sort
status=0; ldapadd $bind -f all.ldif >/dev/null 2>&1 || status=$?; echo "exists: $status"; status=0; ldapsearch -x -H $url -D cn=admin,dc=example -w no -b '' 2>/dev/null || status=$?; echo "refused: $status"
for c in $(seq 1 16); do for i in 1 2 3 4 5; do search "(uid=u$((c * 20 + i)))" cn; done >c$c & pids="${pids:-} $!"; done; wait $pids; cat c* | sort | md5sum
finish TERM; serve
search uid=u5 sn; search '(objectClass=*)' uid | grep -c ^uid
finish TERM
echo ok
