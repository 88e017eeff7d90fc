/* Numbers that don't fit throw through a noexcept procedure: std::terminate. A server with one thread. */
#include "serve.h"
#include <stdexcept>
#include <string>

static __attribute__((noinline)) long weigh(const std::string &text) noexcept
{
	return 2 * std::stol(text);
}

static void answer(char *line, char *out)
{
	snprintf(out, LINE, "%ld", weigh(line));
}

int main(int argc, char **argv)
{
	serve_epoll(argv[1], answer);
}
