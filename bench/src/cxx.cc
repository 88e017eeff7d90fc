// cxx MODE N: small C++ programs for one kind of control flow each
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <mutex>
#include <unordered_map>
#include <vector>
static uint32_t rs = 2463534242u;
static uint32_t rnd() { rs ^= rs << 13; rs ^= rs >> 17; rs ^= rs << 5; return rs; }
struct Shape { virtual ~Shape() {} virtual uint64_t area(uint64_t k) = 0; virtual int kind() const { return 0; } };
struct Sq : Shape { uint64_t a; Sq(uint64_t x) : a(x) {} uint64_t area(uint64_t k) override { return a * a + k; } int kind() const override { return 1; } };
struct Re : Shape { uint64_t a, b; Re(uint64_t x, uint64_t y) : a(x), b(y) {} uint64_t area(uint64_t k) override { return a * b ^ k; } int kind() const override { return 2; } };
struct Tr : Shape { uint64_t a, h; Tr(uint64_t x, uint64_t y) : a(x), h(y) {} uint64_t area(uint64_t k) override { return a * h / 2 + (k >> 1); } int kind() const override { return 3; } };
struct Ci : Shape { uint64_t r; Ci(uint64_t x) : r(x) {} uint64_t area(uint64_t k) override { return 3 * r * r - k; } };
static void virt(long n) {
  std::vector<std::unique_ptr<Shape>> v;
  for (int i = 0; i < 1000; i++) switch (rnd() % 4) {
    case 0: v.emplace_back(new Sq(rnd() % 100)); break; case 1: v.emplace_back(new Re(rnd() % 100, rnd() % 100)); break;
    case 2: v.emplace_back(new Tr(rnd() % 100, rnd() % 100)); break; default: v.emplace_back(new Ci(rnd() % 100)); }
  uint64_t s = 0;
  for (long i = 0; i < n; i++) for (auto &p : v) s += p->area(s) + p->kind();
  printf("virt %llu\n", (unsigned long long)s);
}
static long __attribute__((noinline)) fib(long n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static int cmp(const void *a, const void *b) { uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b; return x < y ? -1 : x > y; }
static void qs(long n) {
  std::vector<uint32_t> v(1 << 16); uint64_t s = 0;
  for (long i = 0; i < n; i++) { for (auto &x : v) x = rnd(); qsort(v.data(), v.size(), 4, cmp); s = s * 31 + v[i % v.size()]; }
  printf("qsort %llu\n", (unsigned long long)s);
}
struct E1 : std::runtime_error { int c; E1(int x) : std::runtime_error("e1"), c(x) {} };
static int __attribute__((noinline)) thrower(int d, int k) {
  std::string hold(20, 'x');
  if (d == 0) { if (k % 3 == 0) throw E1(k); if (k % 3 == 1) throw std::out_of_range("r"); return k; }
  return thrower(d - 1, k) + (int)hold.size() - 20;
}
static void exc(long n) {
  uint64_t s = 0;
  for (long i = 0; i < n; i++) try { s += thrower(5, i); } catch (const E1 &e) { s += e.c * 3; } catch (const std::exception &e) { s += strlen(e.what()); }
  printf("exc %llu\n", (unsigned long long)s);
}
static void heap(long n) {                      // allocator, trees, hashes, strings
  std::map<std::string, int> m; std::unordered_map<uint32_t, std::string> h; uint64_t s = 0;
  for (long i = 0; i < n; i++) {
    char b[32]; snprintf(b, sizeof b, "k%u", rnd() % 20000);
    m[b]++; auto &r = h[rnd() % 20000]; r += b; if (r.size() > 100) { s += r.size(); r.clear(); h.erase(rnd() % 20000); }
    if (i % 7 == 0) m.erase(b);
  }
  for (auto &p : m) s += p.first.size() * p.second;
  printf("heap %llu %zu\n", (unsigned long long)s, m.size());
}
static uint32_t sw(uint32_t op, uint32_t a) {   // dense switch: an indirect jump for each step
  switch (op & 15) {
    case 0: return a + 7; case 1: return a * 3; case 2: return a ^ 0x55; case 3: return a - 9; case 4: return a >> 1; case 5: return a << 1 | 1;
    case 6: return ~a; case 7: return a * 17 + 3; case 8: return a ^ a >> 3; case 9: return a + op; case 10: return a - op; case 11: return a | 5;
    case 12: return a & 0xffffff; case 13: return a * a; case 14: return a + 1; default: return a ^ op; }
}
static void swi(long n) { uint32_t a = 1; std::vector<uint32_t> p(4099); for (auto &x : p) x = rnd() >> 7;
  for (long i = 0; i < n; i++) for (auto o : p) a = sw(o, a); printf("switch %u\n", a); }
static void mt(long n) {                        // two threads, one lock, shared table
  std::mutex mu; std::map<int, long> t; std::vector<std::thread> th;
  for (int k = 0; k < 2; k++) th.emplace_back([&, k] { uint32_t r = 77 + k; uint64_t acc = 0;
    for (long i = 0; i < n; i++) { for (int j = 0; j < 200; j++) { r ^= r << 13; r ^= r >> 17; r ^= r << 5; acc += r % 7; }
      std::lock_guard<std::mutex> g(mu); t[r % 1000] += (long)(acc & 1) + 1; } });
  for (auto &x : th) x.join();
  long s = 0; for (auto &p : t) s += p.second; printf("mt %ld\n", s);
}
int main(int c, char **v) {
  if (c < 3) return 2; std::string m = v[1]; long n = atol(v[2]);
  if (m == "virt") virt(n); else if (m == "fib") printf("fib %ld\n", fib(n)); else if (m == "qsort") qs(n); else if (m == "exc") exc(n);
  else if (m == "heap") heap(n); else if (m == "switch") swi(n); else if (m == "mt") mt(n); else return 2;
  return 0;
}
