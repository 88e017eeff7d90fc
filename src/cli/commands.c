/* The table of commands. */
#include "cli/command.h"

const struct command commands[] = {
	{"run", "[OPTIONS] -- COMMAND [ARGUMENT...]", "run a program guarded", NULL, command_run},
	{"attach", "[OPTIONS] PID...", "guard a process that runs already", NULL, command_attach},
	{"detach", "[--tree] PID...", "let go of a guarded process",
	 "The process goes on as it would have without ClearView: its text is that of its files again, and nothing of ours is mapped in it. How long it took is\n"
	 "said as the longest stop of any of its threads. A thread that is in a patch, or a signal handler that interrupted one, is waited for.\n"
	 "\n"
	 "The exit status is 127 if there is no such process, 126 if it isn't guarded or can't be let go of now (it stays guarded).", command_detach},
	{"adopt", "[--when-gone PID]", "take over the processes whose supervisor is gone",
	 "A supervisor that is killed leaves its processes running with their patches in force. Its keeper starts another one at once, and so does the\n"
	 "next `clearview run` with the same state folder; this command does it by hand.", command_adopt},
	{"ps", "[-v]", "list the guarded processes",
	 "A supervisor that is gone leaves its processes running with their patches in force; `clearview adopt` takes them over.", command_ps},
	{"failures", "[FAILURE]", "list the failures seen, or show one",
	 "A failure stands for a program point: what fails there again is the same failure. Its states: detected, checking (learned\n"
	 "invariants are being checked there), repairing (candidate patches are being tried), patched.", command_failures},
	{"patches",
	 "[PATCH]\nenable|disable|pin|unpin|remove PATCH...\nexport PATCH\nimport FILE",
	 "list the patches, show or change some, or carry them to another machine",
	 "enable   puts a patch in force, in place of the one that is in force for that failure\n"
	 "disable  takes it out for good\n"
	 "pin      puts it in force; evaluation never takes it out. unpin ends that\n"
	 "remove   takes it out and forgets it\n"
	 "export   writes it as JSON; import takes such a file (- is standard input)\n"
	 "\n"
	 "A change is in force in all running processes when the command returns. SCORE is successes minus failures, with a bonus for\n"
	 "patches that never failed; the one with the highest score is kept.", command_patches},
	{"invariants", "[--module MODULE] [--at OFFSET]", "list what was learned", NULL, command_invariants},
	{"events", "[-f]", "show what happened, oldest first", "With --json: one object a line.", command_events},
	{"report", "FAILURE", "describe a failure for the maintainers of the program",
	 "Where and how often it failed, the call stack and registers of the last time, which learned invariants were violated, which\n"
	 "patches were tried and how they did, and the code around the point.", command_report},
	{0},
};
