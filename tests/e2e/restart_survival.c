/* A server on a pipe: for each letter a line; "x" hits the defect. "outer": in the procedure that serves, so that to return from it is to end;
 * "inner": in a procedure of its own. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int *volatile nothing;

static void say(const char *line)
{
	if (write(1, line, strlen(line)) < 0)
		_exit(2);
}

static __attribute__((noinline)) int stumble(void)
{
	return *nothing;
}

static __attribute__((noinline)) int serve(int inner)
{
	static volatile int sum;
	char letter;
	while (read(0, &letter, 1) == 1) {
		if (letter == 'x')
			sum += inner ? stumble() : *nothing;
		say(letter == 'x' ? "x\n" : "served\n");
	}
	return 1;
}

int main(int argc, char **argv)
{
	say("started\n");
	serve(argc > 1 && !strcmp(argv[1], "inner"));
	return 3;
}
