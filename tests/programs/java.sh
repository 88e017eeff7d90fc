#!/bin/bash
# A JVM: interpreted and compiled code, null pointers and deep recursion as signals, threads, parallel streams, garbage collection.
# time: 600
# packages: openjdk-17-jdk-headless
set -eu
cat >Program.java <<'SCRIPT'
import java.util.*; import java.util.concurrent.*; import java.util.stream.*;
public class Program {
	static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
	static int deep(int n) { return deep(n + 1) + 1; }
	public static void main(String[] a) throws Exception {
		System.out.println(fib(30));
		int npe = 0; for (int i = 0; i < 20000; i++) { try { String s = i % 2 == 0 ? null : "x"; npe += s.length(); } catch (NullPointerException e) { npe += 2; } }
		System.out.println(npe);
		try { deep(0); } catch (StackOverflowError e) { System.out.println("too deep"); }
		try { System.out.println(1 / (npe - npe)); } catch (ArithmeticException e) { System.out.println(e.getMessage()); }
		System.out.println(IntStream.range(0, 100000).parallel().mapToLong(x -> (long) x * x).sum());
		Map<String, Integer> m = new TreeMap<>(); for (int i = 0; i < 50000; i++) m.merge("k" + i % 777, i, Integer::sum); System.out.println(m.hashCode());
		ExecutorService pool = Executors.newFixedThreadPool(8); List<Future<Long>> all = new ArrayList<>();
		for (int i = 0; i < 32; i++) { int k = i; all.add(pool.submit(() -> { long r = 0; for (int j = 0; j < 300000; j++) r += j ^ k; return r; })); }
		long sum = 0; for (Future<Long> f : all) sum += f.get(); pool.shutdown(); System.out.println(sum);
		List<byte[]> keep = new ArrayList<>(); for (int i = 0; i < 20000; i++) { byte[] b = new byte[10000]; if (i % 100 == 0) keep.add(b); } System.gc(); System.out.println(keep.size());
		Process p = new ProcessBuilder("/bin/echo", "child").start(); System.out.print(new String(p.getInputStream().readAllBytes()));
		System.exit(5);
	}
}
SCRIPT
$WRAP javac Program.java
for options in "" "-Xint" "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"; do
	status=0
	$WRAP java -Xmx400m $options Program || status=$?
	echo "status $status"
done
echo ok
