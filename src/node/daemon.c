#include "node/daemon.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

int daemon_become(int kept)
{
	setsid();
	if (fork())
		_exit(0);
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	int moved = fcntl(kept, F_DUPFD_CLOEXEC, 3);
	for (int fd = 3; fd < 1024; fd++)
		if (fd != moved)
			close(fd);
	prctl(PR_SET_NAME, "clearview");
	return moved;
}
