#!/bin/bash
# dovecot: mail that exim4 (setuid, and so not guarded) delivers, over IMAP: a process for each login and mailbox, in a sandbox of its own.
# time: 400
# packages: exim4-daemon-light dovecot-imapd curl
set -eu
. "$(dirname "$0")/../lib/server.sh"
[ "$(id -u)" = 0 ] || { echo "wants to be root"; exit 77; }
smtp=$(free_port); imap=$(free_port); mkdir -p spool mail run state; chmod 755 .; chown Debian-exim:Debian-exim mail spool
top=$PWD; while [ "$top" != / ]; do chmod o+x "$top" 2>/dev/null || true; top=$(dirname "$top"); done
cat >exim.conf <<C
primary_hostname = mail.example
spool_directory = $PWD/spool
log_file_path = $PWD/spool/%slog
local_interfaces = 127.0.0.1.$smtp
pid_file_path = $PWD/spool/exim.pid
domainlist ours = example
acl_smtp_rcpt = check
deliver_drop_privilege = true
tls_advertise_hosts =
begin acl
check:
  deny local_parts = refused
  accept domains = +ours
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = $PWD/mail/\$local_part_data\${if eq{\$local_part_data}{}{user}{}}
  create_directory
C
cat >dovecot.conf <<C
base_dir = $PWD/run
state_dir = $PWD/state
log_path = $PWD/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:$PWD/mail/user
first_valid_uid = 1
mail_uid = Debian-exim
mail_gid = Debian-exim
service imap-login { 
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = 0
  }
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=Debian-exim gid=Debian-exim home=$PWD/mail
}
C
WRAP= start /usr/sbin/exim4 -C "$PWD/exim.conf" -bdf -q30m; exim=$server
trap 'kill $exim 2>/dev/null || true; end_all' EXIT
ready port_open "$smtp"
message() { printf 'From: a@example\nTo: user@example\nSubject: number %s\n\n' "$1"; seq 1 "$1"; }
send() { message "$1" >"m$1"; curl -s "smtp://127.0.0.1:$smtp" --mail-from a@example --mail-rcpt "$2" -T "m$1" || echo "refused: $?"; }
for i in $(seq 1 20); do send $((i * 100)) user@example; done
send 1 user@elsewhere; send 2 refused@example
delivered() { [ "$(ls mail/user/new 2>/dev/null | wc -l)" = 20 ]; }; ready delivered && echo delivered
start dovecot -F -c "$PWD/dovecot.conf"
ready port_open "$imap"
i() { curl -s --user user:secret "imap://127.0.0.1:$imap/$1" "${@:2}"; }
i 'INBOX;MAILINDEX=3/;SECTION=TEXT' | tr -d '\r' | grep -c . ; i INBOX -X 'SEARCH SUBJECT "number 700"' | tr -d '\r'
i INBOX -X 'FETCH 1:* (RFC822.SIZE)' | wc -l; i INBOX -X 'SORT (REVERSE SUBJECT) UTF-8 ALL' | wc -w; i '' -X 'CREATE box' ; i INBOX -X 'COPY 1:5 box' | wc -l; i box -X 'STATUS box (MESSAGES)' | tr -d '\r'
status=0; curl -s --user user:wrong "imap://127.0.0.1:$imap/" || status=$?; echo "wrong password: $status"
for n in 1 2 3 4 5 6; do i "INBOX;MAILINDEX=$n/" | wc -l >n$n & pids="${pids:-} $!"; done; wait $pids; cat n?
finish TERM
server=$exim; finish TERM
grep -ciE 'signal|killed|crash|panic' dovecot.log spool/*log | sort || true
echo ok
