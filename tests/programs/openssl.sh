#!/bin/bash
# openssl: every digest, ciphers, signatures, and a TLS server and client talking to each other.
# time: 600
# packages: openssl
set -eu
. "$(dirname "$0")/lib/server.sh"
seq 1 20000 >data
key=00112233445566778899aabbccddeeff
for d in $(openssl list -1 -digest-commands); do $WRAP openssl dgst "-$d" data; done
for c in aes-128-cbc aes-256-ctr camellia-256-cbc chacha20 aria-128-cbc des-ede3-cbc; do
	$WRAP openssl enc "-$c" -K $key$key -iv $key -in data 2>&1 | sha256sum
done
$WRAP openssl prime 1000000007
# What speed does, without its clock: signatures made and checked, of each kind of key.
for kind in "RSA -pkeyopt rsa_keygen_bits:2048" "EC -pkeyopt ec_paramgen_curve:P-384" ED25519; do
	$WRAP openssl genpkey -algorithm $kind -out key.$$ 2>/dev/null
	$WRAP openssl pkeyutl -sign -rawin -inkey key.$$ -in data -out signature
	$WRAP openssl pkeyutl -verify -rawin -inkey key.$$ -in data -sigfile signature
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 3000 -subj /CN=localhost 2>/dev/null
port=$(free_port)
start openssl s_server -accept "127.0.0.1:$port" -cert cert.pem -key key.pem -www -quiet
ready port_open "$port"
for way in -tls1_2 -tls1_3 "-cipher ECDHE-ECDSA-CHACHA20-POLY1305 -tls1_2" "-groups P-521"; do
	printf 'GET / HTTP/1.0\r\n\r\n' | $WRAP openssl s_client -connect "127.0.0.1:$port" $way -CAfile cert.pem -verify_return_error -ign_eof 2>/dev/null |
		grep -aE '^(New,|Verification|HTTP)' | sort -u
done
finish TERM
echo ok
