/* What both sides of src/node/control.h share: the run folder and the names in it. */
#ifndef NODE_CONTROL_FOLDER_H
#define NODE_CONTROL_FOLDER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* What a supervisor's files are called: PID-NAMESPACE. Supervisors in different pid namespaces, as in containers that share a state folder, may have the
 * same pid. */
enum { CONTROL_NAME_SIZE = 48 };
struct control_name {
	char text[CONTROL_NAME_SIZE];
};
/* This process's. */
struct control_name control_own_name(void);

/* The run folder's fd, or -errno. */
int control_folder_open(const char *state_directory, bool make);
/* The address of NAME.sock in it. */
socklen_t control_address(int folder, const char *name, struct sockaddr_un *out);
/* A non-blocking datagram socket bound there, or -errno. */
int control_bind(int folder, const char *name);

#endif
