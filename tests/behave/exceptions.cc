/* C++ exceptions: through many frames, by type, rethrown, with destructors on the way, from a library's callback, in threads.
 * build: -O2
 * build: -O0
 * build: -O2 -static
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -freorder-blocks-and-partition -s
 */
#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static thread_local int destroyed;
struct Guard {
	int n;
	~Guard() { destroyed += n; }
};

__attribute__((noinline)) static int descend(int depth, int kind)
{
	Guard g{1};
	if (depth)
		return descend(depth - 1, kind) + 1;
	switch (kind) {
	case 0: throw 7;
	case 1: throw std::runtime_error("runtime");
	case 2: throw std::string("a string");
	case 3: return std::vector<int>(3).at(5);
	}
	return 0;
}

__attribute__((noinline)) static int rethrowing(int depth, int kind)
{
	try {
		return descend(depth, kind);
	} catch (const std::exception &) {
		throw;
	}
}

static int one(int i)
{
	try {
		return rethrowing(i % 50, i % 5);
	} catch (int x) {
		return x;
	} catch (const std::out_of_range &) {
		return 1000;
	} catch (const std::exception &e) {
		return std::string(e.what()).size();
	} catch (...) {
		return 5;
	}
}

static void many(long *sum)
{
	for (int i = 0; i < 1000; i++)
		*sum += one(i);
	*sum += destroyed * 1000000L;
}

int main()
{
	long sum[3] = {};
	std::thread a(many, &sum[0]), b(many, &sum[1]);
	many(&sum[2]);
	a.join();
	b.join();
	std::printf("%ld %ld %ld\n", sum[0], sum[1], sum[2]);
	try {
		std::vector<int> v{3, 1, 2};
		std::sort(v.begin(), v.end(), [](int x, int y) { if (x == 2 || y == 2) throw x + y; return x < y; });
	} catch (int x) {
		std::printf("out of sort %s\n", x ? "yes" : "no");
	}
	std::puts("ok");
	return 0;
}
