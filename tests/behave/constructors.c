/* Constructors, destructors, atexit and quick exit handlers run once, in order.
 * build: -O2
 * build: -O2 -static
 * token: none
 */
#include "behave.h"

__attribute__((constructor(101))) static void first(void) { puts("constructor 101"); }
__attribute__((constructor(102))) static void second(void) { puts("constructor 102"); }
__attribute__((destructor(101))) static void last(void) { puts("destructor 101"); }
__attribute__((destructor(102))) static void before_last(void) { puts("destructor 102"); }
static void at_exit_a(void) { puts("atexit a"); }
static void at_exit_b(void) { puts("atexit b"); }

int main(void)
{
	atexit(at_exit_a);
	atexit(at_exit_b);
	puts("main");
	return 0;
}
