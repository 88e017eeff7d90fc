/* First calls through the PLT keep all argument registers, also the vector ones.
 * build: -O2 -Wl,-z,lazy -fplt -fcf-protection=none -lm
 * build: -O2 -Wl,-z,now -lm
 * build: -O2 -fno-plt -lm
 */
#include "behave.h"
#include <math.h>
#include <stdarg.h>

static double sum(int n, ...)
{
	va_list list;
	double total = 0;

	va_start(list, n);
	while (n--)
		total += va_arg(list, double);
	va_end(list);
	return total;
}

int main(int argc, char **argv)
{
	double x = argc;

	printf("%d %s %g %g %g %g %g %g %g %g %d %d\n", 1, "a", x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7, 8, 9);
	printf("%.6f %.6f %.6f %.6f\n", pow(x + 1, 0.5), fmod(x + 9, 4), hypot(x + 2, 4), atan2(x, 2));
	printf("%g %ld\n", sum(5, 1.0, 2.0, 3.0, 4.0, 5.5), lround(x + 1.6));
	return passed();
}
