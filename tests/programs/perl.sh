#!/bin/bash
# perl: regular expressions, hashes, sorting, closures, sprintf, local, eval and die, fork and pipe.
# time: 120
set -eu
cat >program.pl <<'SCRIPT'
use strict; use warnings;
my ($x, %h, $s) = (12345); $s = 0;
sub nx { $x = ($x * 1103515245 + 12345) & 0x7fffffff; return $x }
for my $r (1 .. 40) {
  my @l = map { sprintf("user%d=%s;host-%d.example;t=%d", nx() % 500, chr(97 + nx() % 26) x (nx() % 10), nx() % 300, nx()) } 1 .. 200;
  for (@l) { if (/^user(\d+)=(\w*);host-(\d+)\.example;t=(\d+)$/) { $h{$1}{c}++; $h{$1}{h} .= substr($2, 0, 2); $s += length($2) * $3 } }
  my @t = sort { $a cmp $b } @l; $s += length(join(",", grep { /[aeiou]{2}/ } @t)); (my $j = "@t[0..20]") =~ s/(\d+)/<$1>/g; $s += ($j =~ tr/<//);
}
my $k = 0; $k += $h{$_}{c} * length($h{$_}{h}) for sort keys %h; print "$s $k ", scalar(keys %h), "\n";
my @subs = map { my $n = $_; sub { $n * shift } } 1 .. 50; my $t = 0; $t += $_->(3) for @subs; print "$t\n";
my $died = 0; for (1 .. 500) { eval { die { code => $_ } if $_ % 3; 1 } or $died += $@->{code} } print "$died\n";
$SIG{ALRM} = sub { print "alarm\n" }; kill ALRM => $$;
my $pid = open(my $child, "-|") // die; if (!$pid) { print "from the child\n"; exit 0 } print <$child>; close $child;
print join(" ", map { unpack("H*", pack("N", $_)) } 1, 256, 65536), " ", ("ab" x 3), " ", scalar reverse("hello"), "\n";
exit 4;
SCRIPT
status=0
$WRAP perl program.pl || status=$?
echo "status $status"
echo ok
