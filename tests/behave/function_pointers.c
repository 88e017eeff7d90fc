/* Calls through pointers: tables, callbacks of libc, pointers to libc functions, comparison of function addresses.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -static
 */
#include "behave.h"
#include <ctype.h>
#include <search.h>

static int visited;
static void visit(const void *node, VISIT which, int depth) { if (which == preorder || which == leaf) visited += **(int *const *)node; }
static int order(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static int reverse(const void *a, const void *b) { return order(b, a); }
static int add(int a, int b) { return a + b; }
static int subtract(int a, int b) { return a - b; }

int main(void)
{
	static int (*volatile classes[])(int) = { isalpha, isdigit, isspace, toupper, tolower };
	int (*volatile operations[])(int, int) = { add, subtract, add };
	int numbers[500], total = 0;
	void *root = NULL;

	for (int i = 0; i < 500; i++)
		numbers[i] = i * 7919 % 1000;
	for (int i = 0; i < 500; i++)
		tsearch(&numbers[i], &root, order);
	twalk(root, visit);
	qsort(numbers, 500, sizeof *numbers, reverse);
	for (int i = 0; i < 1000; i++)
		total = operations[i % 3](total, numbers[i % 500]);
	printf("%d %d %d %d\n", visited, numbers[0], numbers[499], total);
	for (int i = 0; i < 5; i++)
		printf("%d ", !!classes[i]('a' + i));
	puts("");
	CHECK(operations[0] == operations[2] && operations[0] != operations[1] && classes[0] == isalpha);
	return passed();
}
