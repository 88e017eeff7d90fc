/* The main thread ends; another one goes on and gives the process its exit status.
 * run: => exit 5
 */
#include "behave.h"
#include <pthread.h>

static pthread_t main_thread;

static void *work(void *unused)
{
	pthread_join(main_thread, NULL);
	passed();
	exit(5);
}

int main(void)
{
	pthread_t thread;

	main_thread = pthread_self();
	pthread_create(&thread, NULL, work, NULL);
	pthread_exit(NULL);
}
