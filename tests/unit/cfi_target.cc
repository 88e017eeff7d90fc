// C++ for the tests of landing pads and of failures in the C++ runtime. main exits with 0 when its handlers and destructors ran as they should.
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#define NOINLINE __attribute__((noinline, noclone, noipa))

static volatile long destroyed, sink;

struct guarded {
	~guarded() { destroyed = destroyed + 1; }
};

extern "C" NOINLINE void throws(int x)
{
	if (x)
		throw std::runtime_error("x");
	sink = 1;
}

// One cleanup, two handlers.
extern "C" NOINLINE int catches(int x)
{
	guarded g;
	try {
		throws(x);
		return 0;
	} catch (const std::out_of_range &) {
		return 1;
	} catch (const std::runtime_error &e) {
		return std::strlen(e.what()) + 1;
	}
}

extern "C" NOINLINE int no_pads(int x)
{
	return x * 3 + sink;
}

extern "C" NOINLINE void calls_noexcept(int x) noexcept
{
	throws(x);
	sink = 2;
}

struct animal {
	virtual long legs() { return 4; }
};

extern "C" NOINLINE long call_virtual(animal *a)
{
	return a->legs() + 1;
}

static long table[4] = {0x4242424242424242, 0x4242424242424242, 0x4242424242424242, 0x4242424242424242};

int main(int argc, char **argv)
{
	std::string name = argc > 1 ? argv[1] : "";
	if (name == "uncaught")
		throws(1);
	if (name == "noexcept")
		calls_noexcept(1);
	if (name == "virtual") {
		long *fake[1] = {table};
		sink = call_virtual(reinterpret_cast<animal *>(fake));
	}
	return catches(1) == 2 && destroyed == 1 && no_pads(1) >= 3 ? 0 : 1;
}
