/* generate encodings|graphs SEED AMOUNT PREFIX: writes a differential program. AMOUNT: encodings: one in how many; graphs: procedures. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	static struct program p;
	if (argc != 5) {
		fprintf(stderr, "usage: generate encodings|graphs SEED AMOUNT PREFIX\n");
		return 2;
	}
	program_init(&p, strtoul(argv[2], NULL, 0));
	if (!strcmp(argv[1], "encodings"))
		generate_encodings(&p, strtoul(argv[3], NULL, 0));
	else
		generate_graphs(&p, strtoul(argv[3], NULL, 0));
	program_write(&p, argv[4]);
	printf("%u cases, %u bytes\n", p.case_count, p.used);
	return 0;
}
