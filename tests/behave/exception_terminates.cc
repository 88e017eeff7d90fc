/* An exception that nobody catches aborts, with libstdc++'s message on stderr.
 * run: => SIGABRT
 */
#include <cstdio>
#include <stdexcept>
#include <sys/resource.h>

int main()
{
	rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	std::puts("ok");
	std::fflush(stdout);
	throw std::runtime_error("nobody is there");
}
