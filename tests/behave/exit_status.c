/* The exit status is the program's own, by return, exit and _exit.
 * run: return 0
 * run: return 1 => exit 1
 * run: exit 7 => exit 7
 * run: exit 300 => exit 44
 * run: _exit 255 => exit 255
 * run: _exit 125 => exit 125
 * run: exit 127 => exit 127
 */
#include "behave.h"
#include <unistd.h>

int main(int argc, char **argv)
{
	int status = atoi(argv[2]);

	passed();
	if (!strcmp(argv[1], "exit"))
		exit(status);
	if (!strcmp(argv[1], "_exit"))
		_exit(status);
	return status;
}
