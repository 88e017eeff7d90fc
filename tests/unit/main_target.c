/* A program whose main is to be found (test_main.c). */
__attribute__((noinline)) static int before(int argc) { return argc * 3; }

int main(int argc, char **argv)
{
	return before(argc) == (argv[0] != 0);
}
