/* A calculator for postfix lines, with an array: an interpreter with a dispatch table. "set" doesn't check its index, "call" its target. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 32 };

struct machine {
	double stack[DEPTH];
	int top;
	double *array;
	long size;
};

typedef int operation(struct machine *m);

static double pop(struct machine *m)
{
	return m->top > 0 ? m->stack[--m->top] : 0;
}

static int push(struct machine *m, double value)
{
	if (m->top >= DEPTH)
		return -1;
	m->stack[m->top++] = value;
	return 0;
}

static int add(struct machine *m) { double b = pop(m); return push(m, pop(m) + b); }
static int multiply(struct machine *m) { double b = pop(m); return push(m, pop(m) * b); }

static int make(struct machine *m)
{
	m->size = (long)pop(m);
	m->array = calloc(m->size, sizeof *m->array);
	return m->array ? 0 : -1;
}

static int set(struct machine *m)
{
	long at = (long)pop(m);
	m->array[at] = pop(m);
	return 0;
}

static int get(struct machine *m)
{
	return push(m, m->array[(long)pop(m)]);
}

static const struct { const char *name; operation *run; } operations[] = {
	{"+", add}, {"*", multiply}, {"make", make}, {"set", set}, {"get", get},
};

static __attribute__((noinline)) int execute(struct machine *m, const char *word)
{
	char *end;
	double value = strtod(word, &end);
	if (end != word)
		return push(m, value);
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
		if (!strcmp(operations[i].name, word))
			return operations[i].run(m);
	return -1;
}

int main(int argc, char **argv)
{
	char line[1024];
	FILE *f = argc > 1 ? fopen(argv[1], "r") : stdin;
	struct machine m = {0};
	for (int n = 1; f && fgets(line, sizeof line, f); n++) {
		m.top = 0;
		for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n"))
			if (execute(&m, word)) {
				printf("%d: error at %s\n", n, word);
				break;
			}
		printf("%d: %g\n", n, pop(&m));
	}
	free(m.array);
	return f ? 0 : 1;
}
