#!/bin/bash
# Tools with threads, plug-ins and children of their own: a terminal multiplexer, copying, archives, pictures, sound, documents, plots, keys.
# time: 600
# packages: tmux rsync curl jq zstd p7zip-full imagemagick graphviz ghostscript poppler-utils gnuplot-nox sox bc m4 gpg fish ksh make cmake ninja-build openssh-client
set -eu
run() { local status=0; $WRAP "$@" || status=$?; echo; echo "$1: status $status"; }
seq 1 200000 >numbers; mkdir -p from/sub; cp numbers from/sub/a; echo b >from/b; ln -s b from/c

$WRAP tmux -S "$PWD/socket" -f /dev/null new-session -d -x 80 -y 24 'seq 1 5; echo done >finished; cat'
until [ -s finished ]; do sleep 0.05; done
$WRAP tmux -S "$PWD/socket" split-window -d 'cat'; $WRAP tmux -S "$PWD/socket" list-panes -F '#{pane_index} #{pane_width}x#{pane_height}'
$WRAP tmux -S "$PWD/socket" capture-pane -p -t 0.0 | head -5; $WRAP tmux -S "$PWD/socket" kill-server

run rsync -a --stats --no-human-readable from/ to/ | grep -E '^Number of (files|regular)'; echo changed >>from/b; touch -d 2020-01-01 from/b
run rsync -aci from/ to/; diff -r from to && echo "the same"
run curl -s "file://$PWD/from/b"
run jq -n -c '[range(3000) | {a: ., b: (. * . % 17 | tostring)}] | group_by(.b) | map({k: .[0].b, n: length, s: (map(.a) | add)}), (try error("x") catch .)' | md5sum
run zstd -q -T2 -12 numbers -o numbers.zst; run zstd -q -d -T2 -c numbers.zst | md5sum
run 7z a -bd -mmt=2 archive.7z numbers from | grep -E '^(Everything|Files|Folders)'; run 7z t -bd archive.7z | grep -E '^(Everything|Size)'
export MAGICK_THREAD_LIMIT=2
run convert -size 300x200 gradient:red-blue -rotate 17 -blur 0x3 -resize 50% -colorspace Gray -depth 8 gray:picture; md5sum <picture
run convert -size 64x64 plasma:red-red -depth 8 picture.png; run identify -format '%w %h %m' picture.png
printf 'digraph g { rankdir=LR; a -> b -> c; a -> c [label="x"]; subgraph cluster_1 { d; e -> d } b -> e }\n' >graph.dot
for layout in dot neato circo; do run $layout -Tplain graph.dot | md5sum; done
printf '%%!PS\n/Helvetica findfont 24 scalefont setfont 72 700 moveto (Hello page) show 100 100 200 200 rectfill showpage\n/Courier findfont 12 scalefont setfont 72 600 moveto 1 1 100 { 20 string cvs show } for showpage\n' >page.ps
run gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=pbmraw -r60 -sOutputFile=page%d.pbm page.ps; md5sum page1.pbm page2.pbm
run gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=page.pdf page.ps; run pdftotext page.pdf -
run pdftoppm -r 50 -mono page.pdf out; md5sum out-*.pbm
run gnuplot -e 'set terminal dumb 60 20; plot sin(x) title "s", x**2/50 with points'
run sox -n -b 16 -r 8000 tone.wav synth 1 sine 300-700 reverb 20 rate 11025; run sox tone.wav -n stat 2>&1 | grep -E 'Samples|Maximum amp'
cat >sum.bc <<'S'
scale = 200; 4*a(1)
define f(n) {
  if (n < 2) return (n);
  return (f(n-1) + f(n-2));
}
f(16); 2^2000
S
run bc -lq sum.bc
cat >text.m4 <<'S'
define(`loop', `ifelse($1, 0, `', `$1 loop(decr($1))')')loop(200) eval(2**20 % 1000) syscmd(`echo child') len(format(`%08.3f', 2.5)) translit(`abc', `a-c', `A-C')
S
run m4 text.m4
export GNUPGHOME=$PWD/keys; mkdir -m 700 keys
run gpg --batch -q --passphrase '' --quick-gen-key test@example.org ed25519 sign never 2>/dev/null; run gpg --batch -q -s -o signed numbers 2>/dev/null; run gpg --batch -q -d signed 2>/dev/null | md5sum
run gpg --batch -q --symmetric --pinentry-mode loopback --passphrase x -o secret numbers 2>/dev/null; run gpg --batch -q -d --pinentry-mode loopback --passphrase x secret 2>/dev/null | md5sum
gpgconf --kill all 2>/dev/null || true
run fish --no-config -c 'for i in (seq 5); echo (math $i x $i); end; function f; return 3; end; f; echo $status; echo a b | string split " " | string upper; exit 5'
run ksh -c 'typeset -A m; for i in {1..50}; do m[$((i % 7))]+=$i; done; print ${m[3]} $(print child | tr a-z A-Z); function f { trap "print trapped" EXIT; return 2; }; f; print $?; exit 6'
mkdir project; printf 'project(p C)\ncmake_minimum_required(VERSION 3.10)\nadd_library(l STATIC l.c)\nadd_executable(m m.c)\ntarget_link_libraries(m l)\n' >project/CMakeLists.txt
echo 'int l(void) { return 7; }' >project/l.c; echo 'int l(void); int main(void) { return l(); }' >project/m.c
run cmake -S project -B made -G Ninja >/dev/null; run ninja -C made >/dev/null; run made/m
printf 'all: a b c\na b c:\n\t@echo $@ >$@; sleep 0\nfail:\n\t@exit 3\n' >Makefile; run make -s -j3 all; cat a b c; run make -s fail 2>/dev/null
run ssh-keygen -q -t ed25519 -N '' -C x -f key; run ssh-keygen -y -f key | cut -d' ' -f1
echo ok
