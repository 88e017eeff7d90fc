#!/bin/bash
# The Go toolchain compiles a program; the program has goroutines, stacks that grow and move, maps, panics from nil pointers, signals and preemption.
# time: 600
# packages: golang-go
set -eu
export HOME=$PWD GOCACHE=$PWD/cache GOFLAGS=-mod=mod GO111MODULE=off GOTELEMETRY=off
cat >program.go <<'SCRIPT'
package main

import ("fmt"; "os"; "os/exec"; "os/signal"; "runtime"; "sort"; "strings"; "sync"; "syscall"; "time")

type node struct { l, r *node; v int }
func mk(d int) *node { if d == 0 { return nil }; return &node{mk(d - 1), mk(d - 1), d} }
func (n *node) sum() int { if n == nil { return 0 }; return n.v + n.l.sum() + n.r.sum() }
func deep(n int) int { var pad [64]int; if n == 0 { return 0 }; pad[n%64] = n; return deep(n-1) + pad[n%64] }
func fails(f func()) (s string) { defer func() { s = fmt.Sprint(recover()) }(); f(); return }
func main() {
	var wg sync.WaitGroup; ch := make(chan int, 10); tot := 0
	for i := 0; i < 200; i++ { wg.Add(1); go func(i int) { defer wg.Done(); ch <- mk(10).sum()*i + deep(i*10) }(i) }
	go func() { wg.Wait(); close(ch) }()
	for v := range ch { tot += v }
	fmt.Println(tot)
	var p *node; zero := 0; s := []int{1}
	fmt.Println(fails(func() { fmt.Print(p.v) }), fails(func() { fmt.Print(1 / zero) }), fails(func() { fmt.Print(s[zero+5]) }))
	m := map[string]int{}; for i := 0; i < 50000; i++ { m[strings.Repeat("x", i%17)+fmt.Sprint(i%1000)] += i }
	ks := []string{}; for k := range m { ks = append(ks, k) }; sort.Strings(ks); fmt.Println(len(ks), ks[0], ks[len(ks)-1], m[ks[7]])
	c := make(chan os.Signal, 1); signal.Notify(c, syscall.SIGUSR1); syscall.Kill(os.Getpid(), syscall.SIGUSR1); fmt.Println(<-c)
	done := false; go func() { time.Sleep(20 * time.Millisecond); done = true }()
	spin := 0; until := time.Now().Add(50 * time.Millisecond); for time.Now().Before(until) { spin++ }
	runtime.GC(); fmt.Println(done, spin > 0)
	out, err := exec.Command("/bin/echo", "child").Output(); fmt.Println(strings.TrimSpace(string(out)), err)
	os.Exit(3)
}
SCRIPT
go build -trimpath -o first program.go     # makes the library, which would take minutes under anything
echo '// changed' >>program.go
$WRAP go build -trimpath -o program program.go
status=0
$WRAP ./program || status=$?
echo "status $status"
$WRAP gofmt -l program.go
echo ok
