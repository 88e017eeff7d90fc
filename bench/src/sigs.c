/* sigs: signals, alternate stack, handled SIGSEGV with siglongjmp, fork+wait, timers, self-made code */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
static sigjmp_buf jb; static volatile sig_atomic_t usr, alr; static void *fault;
static void onusr(int s) { (void)s; usr++; }
static void onalr(int s) { (void)s; alr++; }
static void onsegv(int s, siginfo_t *i, void *u) { (void)s; (void)u; fault = i->si_addr; siglongjmp(jb, 1); }
int main(void) {
  stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 }; sigaltstack(&ss, 0);
  struct sigaction a = { 0 }; a.sa_sigaction = onsegv; a.sa_flags = SA_SIGINFO | SA_ONSTACK; sigaction(SIGSEGV, &a, 0);
  signal(SIGUSR1, onusr); signal(SIGALRM, onalr);
  for (int i = 0; i < 1000; i++) raise(SIGUSR1);
  int hit = 0; for (int i = 0; i < 100; i++) { if (sigsetjmp(jb, 1) == 0) { *(volatile char *)(long)(8 + i) = 1; } else hit += fault == (void *)(long)(8 + i); }
  struct itimerval it = { { 0, 2000 }, { 0, 2000 } }; setitimer(ITIMER_REAL, &it, 0);
  volatile unsigned long x = 0; while (alr < 50) x++;
  it.it_value.tv_usec = 0; setitimer(ITIMER_REAL, &it, 0);
  int kids = 0; for (int i = 0; i < 20; i++) { pid_t p = fork(); if (!p) { if (i & 1) abort(); _exit(i); } int st; waitpid(p, &st, 0);
    kids += (i & 1) ? (WIFSIGNALED(st) && WTERMSIG(st) == SIGABRT) : (WIFEXITED(st) && WEXITSTATUS(st) == i); }
  unsigned char *p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); long s = 0;
  for (int i = 0; i < 200; i++) { unsigned char c[6] = { 0xb8, (unsigned char)i, 0, 0, 0, 0xc3 }; memcpy(p, c, 6); s += ((int (*)(void))p)(); }
  printf("usr %d segv %d alarms %s kids %d smc %ld\n", (int)usr, hit, alr >= 50 ? "ok" : "no", kids, s);
  return 0;
}
