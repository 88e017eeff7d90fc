#!/bin/bash
# More languages: compiled to C (COBOL, Lisp), with code made at run time (LuaJIT, TCC, Erlang, PHP), byte code with signals of its own (R, Octave,
# Prolog, Tcl), and what Pascal, Fortran and Ada do at faults and on stacks of their tasks.
# time: 900
# packages: gnucobol3 r-base-core octave ecl gambc tcc luajit erlang-base elixir swi-prolog-nox clisp tcl fp-compiler gnat gfortran clang gcc libc6-dev php-cli
set -eu
run() { local status=0; $WRAP "$@" || status=$?; echo; echo "$1: status $status"; }
cat >p.cob <<'S'
       IDENTIFICATION DIVISION.
       PROGRAM-ID. P.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 I PIC 9(6). 
       01 S PIC 9(12) VALUE 0.
       01 D PIC 9(6)V99 COMP-3 VALUE 0.
       PROCEDURE DIVISION.
           PERFORM VARYING I FROM 1 BY 1 UNTIL I > 20000
             ADD I TO S  ADD 0.01 TO D
           END-PERFORM.
           DISPLAY S " " D.
           DIVIDE S BY 0 GIVING S
             ON SIZE ERROR DISPLAY "SIZE"
           END-DIVIDE.
           MOVE 3 TO RETURN-CODE. STOP RUN.
S
run cobc -x -o cobol p.cob; run ./cobol
cat >p.R <<'S'
set.seed(1); m <- matrix(rnorm(400), 20); print(round(sum(solve(m) %*% m), 6)); f <- function(n) if (n < 2) n else f(n-1) + f(n-2); print(f(18))
r <- function(n) r(n + 1); print(tryCatch(r(1), error = function(e) "too deep")); print(summary(lm(dist ~ speed, cars))$r.squared)
print(tryCatch(stop("x"), error = conditionMessage, finally = cat("f\n"))); print(table(strsplit("the quick brown fox", "")[[1]]))
print(system("echo child", intern = TRUE)); quit(status = 4)
S
run Rscript --vanilla p.R
run octave-cli --no-gui --no-init-file --no-history --eval 'A = magic(6); disp(det(A(1:5,1:5))); disp(sum(inv(hilb(5))(:))); s = 0; for i = 1:20000, s += mod(i, 7); end; disp(s); try, error("my:id", "x"); catch e, disp(e.identifier); end
	function r = f(n), if n < 2, r = n; else r = f(n-1) + f(n-2); end, end; disp(f(14)); disp(strjoin(cellfun(@upper, {"a","b"}, "UniformOutput", false), "-")); disp(real(fft(1:8))); exit(5)'
cat >p.lisp <<'S'
(defun fib (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(print (fib 18)) (print (handler-case (error "x") (error (e) (princ-to-string e)))) (print (handler-case (labels ((f (n) (+ 1 (f n)))) (f 1)) (condition () :too-deep)))
(print (loop for i below 20000 sum (mod (* i i) 7))) (print (let ((h (make-hash-table :test 'equal))) (dotimes (i 3000) (incf (gethash (format nil "~d" (mod i 77)) h 0))) (hash-table-count h)))
(print (catch 'x (unwind-protect (throw 'x 1) (princ "unwound")))) (terpri)
S
run ecl -q --norc --shell p.lisp 2>/dev/null; run clisp -q -norc p.lisp
run gsi -:d- -e '(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (println (fib 20)) (println (call/cc (lambda (k) (for-each (lambda (x) (if (> x 2) (k x))) (list 1 2 3 4)))))
	(println (with-exception-catcher (lambda (e) "caught") (lambda () (car 1)))) (println (let loop ((i 0) (s 0)) (if (= i 200000) s (loop (+ i 1) (+ s i))))) (define (deep n) (if (= n 0) 0 (+ 1 (deep (- n 1))))) (println (deep 300000)) (exit 6)'
printf '#include <stdio.h>\n#include <stdlib.h>\nint c(const void *a, const void *b) { return *(int *)a - *(int *)b; }\nint main(void) { int v[999], s = 0; for (int i = 0; i < 999; i++) v[i] = i * 7919 %% 1009; qsort(v, 999, 4, c); for (int i = 0; i < 999; i++) s = s * 31 + v[i]; printf("%%d\\n", s); return 7; }\n' >p.c
run tcc -run p.c; run tcc -o tiny p.c; run ./tiny; run clang -O2 -o clanged p.c; run ./clanged
run luajit -e 'local s = 0 for i = 1, 3e6 do s = (s + i * 7) % 1000003 end print(s) local ffi = require("ffi") ffi.cdef("int atoi(const char *);") print(ffi.C.atoi("42")) print(pcall(error, "x"))
	local co = coroutine.wrap(function() for i = 1, 3000 do coroutine.yield(i) end end) local t = 0 for i = 1, 3000 do t = t + co() end print(t) print(select("#", pcall(function() local function f() return 1 + f() end f() end))) os.exit(8)'
run erl -noshell -eval 'P = self(), [spawn(fun() -> P ! lists:sum(lists:seq(1, N)) end) || N <- lists:seq(1, 500)], io:format("~p~n", [lists:sum([receive X -> X end || _ <- lists:seq(1, 500)])]),
	io:format("~p~n", [catch 1 / (P - P)]), io:format("~p~n", [[re:replace("a1b2", "[0-9]", "x", [global, {return, list}]), erlang:md5("x"), maps:size(maps:from_list([{N rem 77, N} || N <- lists:seq(1, 5000)]))]]), halt(9).'
run elixir -e 'IO.inspect(1..5000 |> Task.async_stream(fn x -> rem(x * x, 17) end) |> Enum.map(&elem(&1, 1)) |> Enum.frequencies()); try do raise "x" rescue e -> IO.puts(e.message) end; System.halt(10)'
run swipl -q -g 'numlist(1, 20000, L), foldl([X, A, B]>>(B is A + X), L, 0, S), writeln(S), catch(atom_length(_, _), error(E, _), (print(E), nl)), findall(X-Y, (between(1, 30, X), between(X, 30, Y), 0 is (X * Y) mod 29), P), length(P, N), writeln(N),
	concurrent_maplist([X, Y]>>(Y is X * X), [1, 2, 3, 4], Q), writeln(Q), catch(call_with_depth_limit(true, 10, D), _, true), writeln(D), halt(11)'
echo 'proc fib n {if {$n < 2} {return $n}; expr {[fib [expr {$n-1}]] + [fib [expr {$n-2}]]}}; puts [fib 16]; puts [catch {error x} m]$m; puts [regsub -all {(\d)} a1b2 <\\1>]; puts [exec echo child]; proc r {} {r}; puts [catch r]; exit 12' >p.tcl; run tclsh p.tcl
printf '{$mode objfpc} program p; uses sysutils; var i, s: longint; function f(n: longint): longint; begin if n < 2 then f := n else f := f(n-1) + f(n-2) end; begin writeln(f(20)); try i := 0; s := 5 div i; except on e: EDivByZero do writeln(e.classname); end; halt(13) end.\n' >p.pas
run fpc -v0 -op.pascal p.pas; run ./p.pascal
printf 'program p\n integer :: i\n real(8) :: a(200,200), b(200,200)\n do i = 1, 200\n a(:,i) = i\n b(i,:) = 1d0/i\n end do\n print *, sum(matmul(a, b))\n stop 14\nend program\n' >p.f90; run gfortran -O2 -fopenmp -o fortran p.f90; run ./fortran
printf 'with Ada.Text_IO; use Ada.Text_IO;\nprocedure P is\n task type T is entry Go (N : Integer); end T;\n task body T is M : Integer; begin accept Go (N : Integer) do M := N; end Go; if M = 3 then raise Constraint_Error; end if; exception when others => Put_Line ("caught"); end T;\n A : array (1 .. 5) of T; X : array (1 .. 3) of Integer := (1, 2, 3); I : Integer := 3;\nbegin for K in A'"'"'Range loop A (K).Go (K); end loop; I := I + 1; Put_Line (Integer'"'"'Image (X (I))); exception when Constraint_Error => Put_Line ("range"); end P;\n' >p.adb
run gnatmake -q p.adb -o ada 2>/dev/null; run ./ada
run php -d opcache.enable_cli=1 -d opcache.jit_buffer_size=16M -r 'function f($n) { return $n < 2 ? $n : f($n - 1) + f($n - 2); } echo f(23), "\n"; function g() { try { yield 1; throw new Exception("x"); } finally { echo "f"; } } try { foreach (g() as $x) echo $x; } catch (Exception $e) { echo $e->getMessage(), "\n"; } exit(15);'
echo ok
