/* Talk between commands and the supervisors of one state folder. Each supervisor lives in <state>/run as
 *
 *   NAME.lock      flock()ed shared as long as it lives: whoever gets it exclusively knows that the supervisor is dead
 *   NAME.sock      unix datagrams: "reload NONCE" or "detach NONCE PID" in; "done NONCE PROCESSES [TEXT]" goes to NONCE.sock, the command's own socket
 *   NAME.finishing its last guest has ended, but it is still writing its state
 *
 * where NAME is PID-NAMESPACE, the pid as the supervisor knows it and the inode of its pid namespace. Files of dead supervisors are removed by whoever meets them. Functions return 0 or -errno. */
#ifndef NODE_CONTROL_H
#define NODE_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

/* --- The supervisor's side. */

struct control;

enum { CONTROL_NONCE_SIZE = 64 };

struct control_message {
	char nonce[CONTROL_NONCE_SIZE];
	pid_t detach; /* the process to let go; 0: "reload", read the patches' states again and put them in force */
};

/* Announces this process as a supervisor of the folder (as store_directory() has it). Once a process; after a fork, the parent's. */
int control_open(const char *state_directory, struct control **out) __attribute__((warn_unused_result));
/* Readable when a message waits. Non-blocking, close-on-exec. */
int control_fd(const struct control *c);
/* -EAGAIN: none left. Malformed ones are dropped. */
int control_receive(struct control *c, struct control_message *out);
/* After the change is in force; `processes`: in how many guests. A command that is gone already is no error. */
int control_reply(struct control *c, const struct control_message *to, unsigned processes);
/* "detach": processes 1, done; 0 and no text: not a process of mine; 0 and a text: it could not be done. */
int control_reply_text(struct control *c, const struct control_message *to, unsigned processes, const char *text);
/* true: the last guest ended, what follows is only writing. false: there are guests again. */
int control_finishing(struct control *c, bool finishing);
/* Removes the files. NULL is fine. */
void control_close(struct control *c);

/* --- The commands' side. */

enum { CONTROL_TIMEOUT_MS = 5000 };

struct control_result {
	unsigned supervisors; /* that live */
	unsigned answered;    /* of these, within the time */
	unsigned processes;   /* guests in which the change is in force */
	char text[256];       /* the last that was said */
};

/* Asks all supervisors to let go of a process, and waits for the one that has it. */
int control_detach(const char *state_directory, pid_t pid, int timeout_ms, struct control_result *out);

/* Asks all supervisors to reload, and waits for their answers. 0 also when none lives, or some don't answer. */
int control_reload(const char *state_directory, int timeout_ms, struct control_result *out);
/* Waits for the supervisors that are finishing (not for the calling process itself). 0, or -ETIMEDOUT. */
int control_wait_finishing(const char *state_directory, int timeout_ms);

/* Both in one: every supervisor has been heard (it then knows whether its guests have ended), and those without guests have finished. */
int control_settle(const char *state_directory, int timeout_ms);

#endif
