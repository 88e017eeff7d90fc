#!/bin/bash
# vim -es: a script of substitutions, macros, undo, sorting, expressions and a file written.
# time: 120
# packages: vim
set -eu
seq 1 3000 >text
cat >commands.vim <<'SCRIPT'
%s/\v(1)(\d)/\2\1/ge
g/77/d
normal gg3dd"qyy3"qP
undo
redo
10,60sort! n
let @a = string(map(range(5), 'v:val * v:val'))
put a
call setline(1, printf('%x %s', 255, substitute('abc', 'b', '<\0>', '')))
try | throw 'oops' | catch /oops/ | call append(0, v:exception) | endtry
w! out
q!
SCRIPT
$WRAP vim -es -u NONE -i NONE -S commands.vim text
sha256sum out
head -3 out
echo ok
