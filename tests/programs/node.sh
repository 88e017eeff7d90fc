#!/bin/bash
# node: compiled and interpreted JavaScript, workers, streams, crypto, a server and its client in one process, WebAssembly, an exception that ends it.
# time: 300
# packages: nodejs
set -eu
cat >program.js <<'SCRIPT'
const crypto = require('crypto'), zlib = require('zlib'), http = require('http'), { Worker } = require('worker_threads'), { execFileSync } = require('child_process');
class Node { constructor(v) { this.v = v; this.children = []; } get double() { return this.v * 2; } }
function tree(n) { const node = new Node(n); for (let i = 0; n && i < 3; i++) node.children.push(tree(n - 1)); return node; }
function walk(t) { return t.double + t.children.reduce((s, c) => s + walk(c), 0); }
console.log(walk(tree(9)));
let caught = 0; for (let i = 0; i < 20000; i++) { try { if (i % 3 == 0) throw new Error('x' + i); null.x; } catch (e) { caught += e.message.length; } }
console.log(caught, 'ab-1 cd-x ef-2 '.repeat(2000).match(/(\w+)-(?=\d)/g).length);
const m = new Map(); for (let i = 0; i < 200000; i++) m.set(i % 1009, (m.get(i % 1009) || 0) + i);
console.log([...m.values()].reduce((a, b) => a ^ b), JSON.stringify({ a: [1, { b: 2n.toString() }], c: 2n ** 100n + '' }));
console.log(crypto.createHash('sha256').update(JSON.stringify([...m])).digest('hex'));
console.log(zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(100000, 'abc'))).length, execFileSync('/bin/echo', ['child']).toString().trim());
function* fib() { let [a, b] = [0n, 1n]; for (;;) { yield a; [a, b] = [b, a + b]; } }
let g = fib(), f; for (let i = 0; i < 300; i++) f = g.next().value; console.log(f.toString());
const f64 = new Float64Array(1000).map((_, i) => Math.sin(i)); console.log(f64.reduce((a, b) => a + b).toFixed(9));
try { (function deep() { deep(); })(); } catch (e) { console.log(e.constructor.name); }
const wasm = new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11]));
console.log(new WebAssembly.Instance(wasm).exports.add(40, 2));
(async () => {
	const worker = n => new Promise(done => new Worker(`let s = 0; for (let i = 0; i < 1e6; i++) s += i % ${n}; require('worker_threads').parentPort.postMessage(s)`, { eval: true }).on('message', done));
	console.log(await Promise.all([3, 5, 7, 11].map(worker)));
	const server = http.createServer((q, a) => a.end('you asked for ' + q.url)).listen(0, '127.0.0.1', async () => {
		const get = path => new Promise(done => http.get({ port: server.address().port, path }, a => { let t = ''; a.on('data', d => t += d); a.on('end', () => done(t)); }));
		const all = await Promise.all([...Array(200).keys()].map(i => get('/' + i)));
		console.log(new Set(all).size, all[199]);
		server.close();
		process.exitCode = 7;
	});
})();
SCRIPT
status=0
$WRAP node program.js || status=$?
echo "status $status"
status=0
$WRAP node -e 'null.x' 2>/dev/null || status=$?
echo "status $status"
echo ok
