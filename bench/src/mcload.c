/* mcload PORT CONNS OPS KEYS: loopback load for a memcached; one in ten operations is a
   set; every value that comes back is checked.  prints: ops/s p50_ms p99_ms errors max_ms */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <time.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }
struct conn { int fd, isset, key, got, want; double t0; char buf[4096], exp[2048]; };
static unsigned rs = 12345;
static unsigned rnd(void) { rs ^= rs << 13; rs ^= rs >> 17; rs ^= rs << 5; return rs; }
static long hist[1000000], worst;
static int vlen(int k) { return 64 + (k * 7919) % 900; }
static void value(int k, char *b) { int n = vlen(k); for (int i = 0; i < n; i++) b[i] = 'a' + (k + i * 31) % 26; b[n] = 0; }
static void issue(struct conn *c, int key, int set) {
  char v[1100], m[1300]; int n;
  c->isset = set; c->key = key; c->got = 0;
  if (set) { value(key, v); n = sprintf(m, "set key:%d 0 0 %d\r\n%s\r\n", key, vlen(key), v); strcpy(c->exp, "STORED\r\n"); }
  else { value(key, v); n = sprintf(m, "get key:%d\r\n", key);
         sprintf(c->exp, "VALUE key:%d 0 %d\r\n%s\r\nEND\r\n", key, vlen(key), v); }
  c->want = strlen(c->exp); c->t0 = now();
  if (write(c->fd, m, n) != n) { perror("write"); exit(3); }
}
int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int port = atoi(argv[1]), nc = atoi(argv[2]), keys = atoi(argv[4]); long ops = atol(argv[3]), done = 0, sent = 0, err = 0, pre = 0;
  struct conn *cs = calloc(nc, sizeof *cs); int ep = epoll_create1(0);
  struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) }; a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < nc; i++) {
    cs[i].fd = socket(AF_INET, SOCK_STREAM, 0); int one = 1;
    if (connect(cs[i].fd, (void *)&a, sizeof a)) { perror("connect"); return 3; }
    setsockopt(cs[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i }; epoll_ctl(ep, EPOLL_CTL_ADD, cs[i].fd, &ev);
  }
  double start = 0; struct epoll_event evs[256]; int nextpre = 0, live = 0, phase = 0;
  for (int i = 0; i < nc && nextpre < keys; i++, live++) issue(&cs[i], nextpre++, 1);
  for (;;) {
    int n = epoll_wait(ep, evs, 256, 20000);
    if (n <= 0) { fprintf(stderr, "no answer\n"); return 4; }
    for (int j = 0; j < n; j++) {
      struct conn *c = &cs[evs[j].data.u32];
      int r = read(c->fd, c->buf + c->got, sizeof c->buf - c->got);
      if (r <= 0) { fprintf(stderr, "connection lost\n"); return 5; }
      c->got += r;
      if (c->got < c->want && memcmp(c->buf, c->exp, c->got) == 0) continue;
      if (c->got != c->want || memcmp(c->buf, c->exp, c->want)) { err++; if (c->got < 2 || c->buf[c->got - 1] != '\n') continue; }
      if (phase == 0) {
        pre++;
        if (nextpre < keys) issue(c, nextpre++, 1); else live--;
        if (live == 0) { phase = 1; start = now(); for (int i = 0; i < nc; i++) { issue(&cs[i], rnd() % keys, rnd() % 10 == 0); sent++; } break; }
      } else {
        long u = (now() - c->t0) * 1e6; if (u >= 1000000) u = 999999; hist[u]++; done++; if (u > worst) worst = u;
        if (sent < ops) { issue(c, rnd() % keys, rnd() % 10 == 0); sent++; }
      }
    }
    if (phase == 1 && done >= ops) break;
  }
  double t = now() - start; long s = 0, p50 = -1, p99 = -1;
  for (long u = 0; u < 1000000; u++) { s += hist[u]; if (p50 < 0 && s * 100 >= done * 50) p50 = u; if (p99 < 0 && s * 100 >= done * 99) p99 = u; }
  printf("%.0f %.3f %.3f %ld %.3f\n", done / t, p50 / 1e3, p99 / 1e3, err, worst / 1e3);
  return err ? 1 : 0;
}
