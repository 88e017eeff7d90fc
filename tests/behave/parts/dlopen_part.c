/* The library that ../dlopen.c loads. */
#ifdef OTHER
enum { ADDED = 1000 };
#else
enum { ADDED = 100 };
#endif

int work(int x, int (*back)(int))
{
	return back(x) + ADDED;
}
