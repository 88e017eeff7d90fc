#!/bin/sh
# restart.sh COMMAND... - run a command, and again when it ends: a prefix that restarts the target by itself.
while :; do
	"$@"
done
