#!/bin/bash
# tar: archives made, listed, compared and unpacked, with a compressor that it starts itself, sparse and linked files.
# time: 120
set -eu
mkdir -p tree/a/b; for i in $(seq 1 300); do seq 1 "$i" >tree/a/f$i; done
ln -s f1 tree/a/link; ln tree/a/f2 tree/a/hard; truncate -s 1M tree/sparse; printf end >>tree/sparse
find tree -exec touch -h -d @1000000000 {} +
$WRAP tar --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -Scf plain.tar tree
sha256sum plain.tar
$WRAP tar --sort=name --owner=0 --group=0 --numeric-owner -czf packed.tgz tree
$WRAP tar -tf packed.tgz | sha256sum
mkdir out; $WRAP tar -xf packed.tgz -C out; diff -r tree out/tree && echo "the same"
printf changed >tree/a/f3
status=0
$WRAP tar -df plain.tar tree 2>&1 || status=$?
echo "status $status"
echo ok
