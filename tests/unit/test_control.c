/* Commands and supervisors find each other; the dead are recognised and cleared away; nobody waits for nothing. */
#include "state_folder.h"

#include "node/control.h"
#include "node/control_folder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* A supervisor that answers `answers` reloads, each in `processes` processes, and then waits to be killed. */
static _Noreturn void supervise(const char *folder, int out, unsigned answers, unsigned processes, bool finish)
{
	struct control *c;
	struct control_message m;
	if (control_open(folder, &c) || (finish && control_finishing(c, true)) || write(out, "x", 1) != 1)
		_exit(1);
	while (answers--) {
		poll(&(struct pollfd){.fd = control_fd(c), .events = POLLIN}, 1, -1);
		if (!control_receive(c, &m))
			control_reply(c, &m, processes);
	}
	for (;;)
		pause();
}

static pid_t start(const char *folder, unsigned answers, unsigned processes, bool finish)
{
	int out[2];
	char byte;
	assert_int_equal(pipe(out), 0);
	pid_t child = fork();
	if (!child)
		supervise(folder, out[1], answers, processes, finish);
	close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1);
	close(out[0]);
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static int count_files(const char *folder)
{
	char command[128];
	int count = -1;
	snprintf(command, sizeof command, "ls %s/run | wc -l", folder);
	FILE *p = popen(command, "r");
	assert_int_equal(fscanf(p, "%d", &count), 1);
	pclose(p);
	return count;
}

static void nobody_there(void **state)
{
	struct state_folder *f = *state;
	struct control_result result;
	assert_int_equal(control_reload(f->path, 1000, &result), 0);
	assert_true(result.supervisors == 0 && result.processes == 0);
	assert_int_equal(control_wait_finishing(f->path, 1000), 0);
}

static void all_are_asked(void **state)
{
	struct state_folder *f = *state;
	struct control_result result;
	pid_t a = start(f->path, 2, 3, false), b = start(f->path, 2, 4, false);
	for (int n = 0; n < 2; n++) {
		assert_int_equal(control_reload(f->path, 5000, &result), 0);
		assert_true(result.supervisors == 2 && result.answered == 2 && result.processes == 7);
	}
	end(a);
	end(b);
	assert_int_equal(control_reload(f->path, 1000, &result), 0);
	assert_int_equal(result.supervisors, 0);
	assert_int_equal(count_files(f->path), 0);
}

static void one_does_not_answer(void **state)
{
	struct state_folder *f = *state;
	struct control_result result;
	pid_t a = start(f->path, 1, 3, false), b = start(f->path, 0, 0, false);
	assert_int_equal(control_reload(f->path, 300, &result), 0);
	assert_true(result.supervisors == 2 && result.answered == 1 && result.processes == 3);
	end(a);
	end(b);
}

static void a_long_folder_name(void **state)
{
	struct state_folder *f = *state;
	struct control_result result;
	char folder[400], name[151];
	memset(name, 'n', 150);
	name[150] = 0;
	snprintf(folder, sizeof folder, "%s/%s", f->path, name);
	assert_int_equal(mkdir(folder, 0700), 0);
	pid_t a = start(folder, 1, 1, false);
	assert_int_equal(control_reload(folder, 5000, &result), 0);
	assert_int_equal(result.processes, 1);
	end(a);
}

static void waiting_for_the_finishing(void **state)
{
	struct state_folder *f = *state;
	pid_t a = start(f->path, 0, 0, true);
	assert_int_equal(control_wait_finishing(f->path, 50), -ETIMEDOUT);
	pid_t killer = fork();
	if (!killer) {
		poll(NULL, 0, 50);
		kill(a, SIGKILL);
		_exit(0);
	}
	assert_int_equal(control_wait_finishing(f->path, 5000), 0);
	waitpid(a, NULL, 0);
	waitpid(killer, NULL, 0);
	assert_int_equal(count_files(f->path), 0);
}

static void not_for_oneself(void **state)
{
	struct state_folder *f = *state;
	struct control *c;
	assert_int_equal(control_open(f->path, &c), 0);
	assert_int_equal(control_finishing(c, true), 0);
	assert_int_equal(control_wait_finishing(f->path, 5000), 0);
	control_close(c);
	assert_int_equal(count_files(f->path), 0);
}

static void send_text(const struct state_folder *f, const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%.40s/run/%s.sock", f->path, control_own_name().text);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof address), (ssize_t)strlen(text));
	close(fd);
}

static void malformed_messages_are_dropped(void **state)
{
	static const char *const messages[] = {"reload ../../../tmp/x", "reload .hidden", "stop 1", "", "reload", "reload a/b"};
	struct state_folder *f = *state;
	struct control *c;
	struct control_message m;
	assert_int_equal(control_open(f->path, &c), 0);
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
		send_text(f, messages[i]);
	send_text(f, "reload good-1");
	assert_int_equal(control_receive(c, &m), 0);
	assert_string_equal(m.nonce, "good-1");
	assert_int_equal(control_reply(c, &m, 1), 0); /* to nobody: no error */
	assert_int_equal(control_receive(c, &m), -EAGAIN);
	control_close(c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_there), TEST(all_are_asked), TEST(one_does_not_answer), TEST(a_long_folder_name), TEST(waiting_for_the_finishing),
		TEST(not_for_oneself), TEST(malformed_messages_are_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
