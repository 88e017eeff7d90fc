#!/bin/bash
# dnsmasq answers from a hosts file, by UDP and by TCP: every query of the load gets its answer.
# time: 300
# packages: dnsmasq-base bind9-dnsutils
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port)
for i in $(seq 1 250); do echo "10.1.2.$i host$i.example"; done >hosts
start dnsmasq -k -C /dev/null -p "$port" --listen-address=127.0.0.1 --bind-interfaces -R -h -H hosts --local=/example/ --mx-host=example,host9.example,5 --txt-record=t.example,hello \
	--log-facility="$PWD/dns.log" --pid-file="$PWD/pid" $([ "$(id -u)" != 0 ] || echo "-u nobody -g nogroup")
ask() { dig +short +tries=2 +time=20 -p "$port" @127.0.0.1 "$@"; }
ready ask host1.example
[ "$(ask host7.example)" = 10.1.2.7 ] && echo "answers"
ask -x 10.1.2.33; ask t.example txt; ask example mx; dig -p "$port" @127.0.0.1 nosuch.example | grep -o 'status: [A-Z]*'
for round in $(seq 1 8); do for i in $(seq 1 250); do echo "host$i.example"; done; done >queries
dig +short +tries=3 +time=20 -p "$port" @127.0.0.1 -f queries | sort | uniq -c | awk '{ n[$1]++ } END { for (c in n) print n[c], "hosts answered", c, "times" }'
head -250 queries >few; dig +short +tcp +keepopen +time=20 -p "$port" @127.0.0.1 -f few | wc -l
kill -HUP "$server"; ask host250.example
finish TERM
echo ok
