use strict; use warnings; my $n = $ARGV[0]; my ($x, %h, $s) = (12345); $s = 0;
sub nx { $x = ($x * 1103515245 + 12345) & 0x7fffffff; return $x }
for my $r (1 .. $n) {
  my @l = map { sprintf("user%d=%s;host-%d.example;t=%d", nx() % 5000, chr(97 + nx() % 26) x (nx() % 10), nx() % 300, nx()) } 1 .. 400;
  for (@l) { if (/^user(\d+)=(\w*);host-(\d+)\.example;t=(\d+)$/) { $h{$1}{c}++; $h{$1}{h} .= substr($2, 0, 2); $s += length($2) * $3 } }
  my @t = sort { $a cmp $b } @l; $s += length(join(",", grep { /[aeiou]{2}/ } @t)); (my $j = "@t[0..20]") =~ s/(\d+)/<$1>/g; $s += ($j =~ tr/<//);
}
my $k = 0; $k += $h{$_}{c} * length($h{$_}{h}) for sort keys %h; print "$s $k ", scalar(keys %h), "\n";
