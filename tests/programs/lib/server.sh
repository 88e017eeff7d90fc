# For the scripts of servers: start one under $WRAP, wait until it answers, end it. What they print must be the same on every run.

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# What makes a server run as an ordinary user, if we are root.
ordinary=
[ "$(id -u)" != 0 ] || ordinary="setpriv --reuid=nobody --regid=nogroup --clear-groups"

# start COMMAND...: in the background; its pid is $server, what it says is in the file log.
start() {
	$WRAP "$@" >>log 2>&1 </dev/null &
	server=$!
}

# Whatever happens, nothing stays behind.
end_all() { [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true; }
trap end_all EXIT

# until_true SECONDS COMMAND...: try until it succeeds, or the server has ended.
until_true() {
	local deadline=$((SECONDS + $1)); shift
	until "$@" >/dev/null 2>&1; do
		[ -z "$server" ] || kill -0 "$server" 2>/dev/null || return 1
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# ready COMMAND...: wait until the server answers.
ready() {
	until_true 120 "$@" && return
	echo "the server does not answer"; tail -20 log; exit 1
}

# finish SIGNAL: end the server, print its exit status.
finish() {
	local status=0
	kill "-$1" "$server"
	wait "$server" || status=$?
	server=
	echo "server: status $status"
}

# load_http URL [ab's options]: requests with ab; prints how many were answered and how many failed.
load_http() {
	local url=$1; shift
	ab -q "$@" "$url" >ab.out 2>&1 || { tail -5 ab.out; exit 1; }
	grep -E '^(Complete requests|Failed requests|Non-2xx responses|Document Length)' ab.out
}
