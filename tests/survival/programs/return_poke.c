/* Sets entries of a table whose index it doesn't look at: "ID INDEX VALUE" for the table, "ID ret" for the word that an attacker who knows the stack would aim at, behind
 * the stack protector's back. The procedure then returns into what prints the secret. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __attribute__((noinline, used)) void tell_secret(void)
{
	puts("the secret");
	fflush(stdout);
	_exit(0);
}

static __attribute__((noinline)) long set(const char *index, const char *value)
{
	long table[8] = {0}, *volatile at = table;
	void **frame = __builtin_frame_address(0);
	long n = strcmp(index, "ret") ? strtol(index, NULL, 10) : (long *)(frame + 1) - at;
	at[n] = strcmp(index, "ret") ? strtol(value, NULL, 10) : (long)tell_secret;
	return at[0] + at[7];
}

int main(void)
{
	char line[256];
	while (fgets(line, sizeof line, stdin)) {
		char id[32] = "", index[32] = "", value[32] = "";
		sscanf(line, "%31s %31s %31s", id, index, value);
		long sum = set(index, value);
		if (strcmp(index, "ret"))
			printf("%s %ld\n", id, sum);
	}
	return fflush(stdout) ? 1 : 0;
}
