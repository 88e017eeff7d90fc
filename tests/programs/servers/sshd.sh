#!/bin/bash
# The OpenSSH server with its privilege separation and system call filter: logins by key, commands, their statuses and data, sftp, sessions at once.
# time: 600
# packages: openssh-server openssh-client openssh-sftp-server
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port); umask 077
ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f user; ssh-keygen -q -t rsa -b 2048 -N '' -f host_rsa
mkdir -p authorized; cp user.pub authorized/keys; [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
cat >sshd.conf <<C
Port $port
ListenAddress 127.0.0.1
HostKey $PWD/host
HostKey $PWD/host_rsa
PidFile $PWD/pid
AuthorizedKeysFile $PWD/authorized/keys
PasswordAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
SetEnv SHLVL=5
Subsystem sftp /usr/lib/openssh/sftp-server
C
# SHLVL: else bash would read this user's own .bashrc.
start "$(command -v sshd)" -D -e -f "$PWD/sshd.conf"
ready port_open "$port"
sed "s/^/[127.0.0.1]:$port /" host.pub >known
options="-F none -o UserKnownHostsFile=$PWD/known -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes -i $PWD/user -o BatchMode=yes"
s() { ssh $options -p "$port" 127.0.0.1 "$@"; }
s echo hello
status=0; s 'echo to stderr >&2; exit 7' 2>&1 || status=$?; echo "status $status"
seq 1 200000 | s cat | sha256sum
seq 1 200000 >data; printf 'put data copy\nget copy back\n' | sftp -q $options -P "$port" -b - 127.0.0.1:"$PWD" >/dev/null; cmp data back && echo "the same"
for c in aes128-ctr chacha20-poly1305@openssh.com; do s -c $c echo $c; done
pids=; for i in 1 2 3 4 5 6; do s "echo session $i" >out$i & pids="$pids $!"; done; wait $pids; cat out?
status=0; ssh $options -o PubkeyAuthentication=no -p "$port" 127.0.0.1 true 2>/dev/null || status=$?; echo "refused: $status"
finish TERM
grep -ciE 'fatal|crash|signal' log || true
echo ok
