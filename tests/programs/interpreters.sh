#!/bin/bash
# Languages with ways of their own to use stacks and memory: ruby (fibers), lua (coroutines), php, guile (continuations, a compiler), sbcl (own code and
# collector), OCaml (exceptions without unwind tables), Haskell (no C stack at all), emacs (dumped heap).
# time: 900
# packages: ruby lua5.4 php-cli guile-3.0 sbcl ocaml-nox pandoc shellcheck emacs-nox
set -eu
run() { local status=0; $WRAP "$@" || status=$?; echo; echo "$1: status $status"; }
run ruby -e 'h = Hash.new(0); 20000.times { |i| h[i % 77] += i }; puts h.values.sum
	begin; raise "x"; rescue => e; puts e.message; end
	puts (1..4).map { |i| Thread.new { (1..1000).sum * i } }.map(&:value).sum
	f = Fiber.new { 1000.times { |i| Fiber.yield i }; :end }; s = 0; while (v = f.resume) != :end; s += v; end; puts s
	def d(n) = d(n + 1); begin; d(0); rescue SystemStackError; puts "too deep"; end; puts `echo child`; exit 3'
run lua5.4 -e 'local t = {} for i = 1, 20000 do t[i] = (i * 7919) % 10007 end table.sort(t) print(t[1], t[20000])
	local co = coroutine.wrap(function() for i = 1, 3000 do coroutine.yield(i) end end) local s = 0 for i = 1, 3000 do s = s + co() end print(s)
	print(pcall(error, "x")) print(("x1"):rep(10):gsub("%d", "y")) print(select(2, pcall(string.rep, "x", -1))) os.exit(4)'
run php -r 'echo array_sum(range(1, 10000)), "\n", preg_replace("/(a+)b/", "<$1>", "xaabab"), md5("x"), "\n"; function f($n) { return $n < 2 ? $n : f($n - 1) + f($n - 2); }
	echo f(22), "\n"; try { throw new Exception("e"); } catch (Exception $e) { echo $e->getMessage(); } echo json_encode(["a" => [1, null]]), serialize([1, "x"]); exit(5);'
run guile --no-auto-compile -c '(display (let loop ((i 0) (s 0)) (if (= i 100000) s (loop (+ i 1) (+ s i))))) (newline)
	(display (call/cc (lambda (k) (for-each (lambda (x) (if (> x 2) (k x))) (list 1 2 3 4))))) (display (catch #t (lambda () (car 1)) (lambda (key . args) key))) (exit 6)'
run sbcl --noinform --no-userinit --no-sysinit --eval '(progn (print (loop for i below 100000 sum i)) (print (handler-case (error "x") (error (e) (format nil "~a" e))))
	(print (handler-case (labels ((f (n) (+ 1 (f n)))) (f 1)) (storage-condition () :too-deep))) (print (handler-case (/ 1 (- 1 1)) (division-by-zero () :zero)))
	(gc :full t) (terpri) (finish-output) (sb-ext:exit :code 7))'
cat >program.ml <<'SCRIPT'
let rec fib n = if n < 2 then n else fib (n - 1) + fib (n - 2)
exception E of int
let () = let s = ref 0 in for i = 1 to 100000 do (try if i mod 3 = 0 then raise (E i) with E x -> s := !s + x) done;
  Printf.printf "%d %d\n" (fib 25) !s;
  let t = Hashtbl.create 10 in for i = 0 to 50000 do Hashtbl.replace t (string_of_int (i mod 999)) (List.init 10 (fun x -> x * i)) done;
  Printf.printf "%d\n" (Hashtbl.length t);
  (try ignore (let rec f x = 1 + f (x + 1) in f 0) with Stack_overflow -> print_endline "too deep"); Gc.full_major (); exit 8
SCRIPT
run ocamlopt -o program program.ml
run ./program
printf -- '---\ntitle: t\n---\n- a\n- b\n\n# H *x*\n\n|a|b|\n|-|-|\n|1|2|\n\n`code` and $x^2$\n' >page.md
run pandoc -s -t html page.md
run pandoc -t latex page.md
run shellcheck -f gcc /usr/bin/ldd
run emacs -batch -Q --eval '(progn (princ (format "%S\n" (mapcar (lambda (x) (* x x)) (number-sequence 1 20)))) (with-temp-buffer (dotimes (i 3000) (insert (format "line %d\n" i)))
	(goto-char (point-min)) (princ (how-many "7")) (sort-lines t (point-min) (point-max)) (princ (buffer-substring 1 40))) (kill-emacs 9))'
echo ok
