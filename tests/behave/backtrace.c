/* The unwinder sees the program's own procedures, in order, from inside calls, callbacks and signal handlers.
 * build: -O2 -fno-optimize-sibling-calls -fno-inline -fno-reorder-functions -fno-toplevel-reorder
 * build: -O0 -no-pie -fno-pie
 * build: -O2 -fno-optimize-sibling-calls -fno-inline -static
 */
#include "behave.h"
#include <signal.h>
#include <unwind.h>

int main(int argc, char **argv);
static void show(const char *where);
static int compare(const void *a, const void *b) { show("callback"); return 0; }
static void handler(int signal) { show(signal == SIGTRAP ? "after a trap" : "in a handler"); }
static int third(int n) { show("three deep"); return n + 1; }
static int second(int n) { return third(n) * 2; }
static int first(int n) { return second(n) + 3; }

static const struct { const char *name; uintptr_t start; } procedures[] = {
	{ "compare", (uintptr_t)compare }, { "handler", (uintptr_t)handler }, { "third", (uintptr_t)third }, { "second", (uintptr_t)second },
	{ "first", (uintptr_t)first }, { "main", (uintptr_t)main }, { "show", (uintptr_t)show },
};

/* Frames that are not ours (libc's) are passed over: their number is the library's affair. */
static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *unused)
{
	uintptr_t entry = (uintptr_t)_Unwind_FindEnclosingFunction((void *)(_Unwind_GetIP(context) - 1));

	for (unsigned i = 0; i < sizeof procedures / sizeof *procedures; i++)
		if (procedures[i].start == entry)
			printf(" %s+%#lx", procedures[i].name, (unsigned long)(_Unwind_GetIP(context) - entry));
	return _URC_NO_REASON;
}

static void show(const char *where)
{
	printf("%s:", where);
	_Unwind_Backtrace(frame, NULL);
	printf("\n");
}

int main(int argc, char **argv)
{
	int pair[2] = { 1, 2 };

	signal(SIGUSR1, handler);
	signal(SIGTRAP, handler);
	for (int i = 0; i < 3; i++) {
		printf("%d\n", first(argc));
		qsort(pair, 2, sizeof *pair, compare);
		raise(SIGUSR1);
		__asm__ volatile("int3");
	}
	return passed();
}
