/* Aborts: who gave up, and why? */
#include "monitor/locate_private.h"

#include <ctype.h>
#include <gelf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Libraries that define one of these are the runtime: their frames report a failure, they don't have it. */
static const char *const runtime_symbols[] = {
	"abort", "__assert_fail", "__stack_chk_fail", "pthread_kill", "__cxa_throw", "_ZSt9terminatev", "_Unwind_RaiseException",
};

/* Procedures that report, wherever they are: in statically linked programs, in GLib. Known by name only where there are symbols. */
static const char *const reporting_procedures[] = {
	"abort", "raise", "gsignal", "pthread_kill", "__pthread_kill", "__pthread_kill_implementation", "__pthread_kill_internal", "kill", "__kill",
	"__assert_fail", "__assert_fail_base", "__assert_perror_fail", "__assert", "__stack_chk_fail", "__stack_chk_fail_local",
	"__fortify_fail", "__chk_fail", "__libc_message", "__libc_fatal", "malloc_printerr", "_int_free", "_int_malloc", "_int_realloc",
	"malloc_consolidate", "unlink_chunk", "munmap_chunk", "free", "__free", "cfree", "__libc_free", "malloc", "__malloc", "__libc_malloc", "realloc",
	"__realloc", "__libc_realloc", "calloc", "__calloc", "__libc_calloc",
	"__cxa_throw", "_ZSt9terminatev", "_ZN10__cxxabiv111__terminateEPFvvE", "__cxa_pure_virtual",
	"g_abort", "g_log", "g_logv", "g_log_structured", "g_log_structured_array", "g_log_structured_standard", "g_assertion_message",
	"g_assertion_message_expr", "g_assertion_message_cmpnum", "g_assertion_message_cmpstr", "g_assertion_message_error",
};

/* What a procedure on the stack says about the abort; the first that is found counts. */
static const struct {
	const char *procedure, *fact;
} kinds[] = {
	{"__stack_chk_fail", "stack smashing detected"},
	{"__chk_fail", "buffer overflow detected"},
	{"__fortify_fail", "buffer overflow detected"},
	{"__assert_fail", "assertion failed"},
	{"__cxa_pure_virtual", "pure virtual method called"},
	{"__cxa_throw", "uncaught C++ exception"},
	{"_ZSt9terminatev", "std::terminate called"},
	{"abort", "abort called"},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Has a DT_SONAME: programs, also static ones that contain abort, have none. */
static bool is_library(const struct module *m)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	while (m->elf && (section = elf_nextscn(m->elf, section))) {
		Elf_Data *data = gelf_getshdr(section, &header) && header.sh_type == SHT_DYNAMIC ? elf_getdata(section, NULL) : NULL;
		GElf_Dyn entry;
		for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
			if (entry.d_tag == DT_SONAME)
				return true;
	}
	return false;
}

static bool is_runtime_module(const struct module *m)
{
	uint64_t offset;
	if (!is_library(m))
		return false;
	for (size_t i = 0; i < COUNT(runtime_symbols); i++)
		if (module_symbol(m, runtime_symbols[i], &offset))
			return true;
	return false;
}

static bool is_reporting_procedure(const struct module *m, uint64_t offset)
{
	uint64_t delta;
	const char *name = module_symbol_at(m, offset, &delta);
	size_t length = name ? strcspn(name, ".@") : 0; /* "abort.cold", "raise.constprop.0" */
	for (size_t i = 0; length && i < COUNT(reporting_procedures); i++)
		if (!strncmp(name, reporting_procedures[i], length) && !reporting_procedures[i][length])
			return true;
	return false;
}

static bool has_instruction(const struct module *m, uint64_t procedure, ZydisMnemonic wanted)
{
	struct range range;
	struct stack_insn i;
	if (!module_range(m, procedure, &range))
		return false;
	for (uint64_t at = range.start; at < range.end && stack_insn_decode(m, at, &i); at += i.insn.length)
		if (i.insn.mnemonic == wanted)
			return true;
	return false;
}

static struct module *module_of(const struct stack_view *v, const struct frame *f, uint64_t *bias)
{
	return f->at.module.hex[0] ? v->module_at(v->context, f->address, bias) : NULL;
}

unsigned locate_application_frame(const struct stack_view *v, const struct failure *f)
{
	const struct module *last = NULL;
	bool last_is_runtime = false;
	uint64_t bias;
	for (unsigned i = 0; i < f->depth; i++) {
		const struct module *m = module_of(v, &f->stack[i], &bias);
		if (!m)
			continue;
		if (m != last)
			last_is_runtime = is_runtime_module(m);
		last = m;
		if (!last_is_runtime && !is_reporting_procedure(m, f->stack[i].at.offset))
			return i;
	}
	return 0;
}

/* A statically linked, stripped program: nothing has a name. But abort() of every C library ends in a hlt, in case nothing else stops the
 * process, and those that report through it never return. */
static unsigned caller_of_abort(const struct stack_view *v, const struct failure *f)
{
	enum { ABORT_DEPTH_MAX = 5, REPORT_DEPTH_MAX = 10 };
	uint64_t bias;
	unsigned abort_frame = f->depth;
	for (unsigned i = 0; i + 1 < f->depth && i < REPORT_DEPTH_MAX; i++) {
		const struct module *m = module_of(v, &f->stack[i], &bias);
		if (!m || m->interpreter)
			continue;
		if (abort_frame < i && has_instruction(m, f->stack[i].at.offset, ZYDIS_MNEMONIC_RET))
			return i;
		if (abort_frame == f->depth && i < ABORT_DEPTH_MAX && has_instruction(m, f->stack[i].at.offset, ZYDIS_MNEMONIC_HLT))
			abort_frame = i;
	}
	return abort_frame + 1 < f->depth ? abort_frame + 1 : 0;
}

static bool is_on_stack(const struct stack_view *v, const struct failure *f, const char *procedure)
{
	uint64_t bias, offset;
	const struct module *last = NULL;
	bool has_it = false;
	for (unsigned i = 0; i < f->location_frame; i++) {
		const struct module *m = module_of(v, &f->stack[i], &bias);
		if (m && m != last)
			has_it = module_symbol(m, procedure, &offset);
		if (m && has_it && f->stack[i].procedure == offset)
			return true;
		last = m ? m : last;
	}
	return false;
}

/* struct abort_msg_s { unsigned size; char msg[]; } *__abort_msg */
bool locate_abort_message(const struct stack_view *v, struct module *libc, uint64_t bias, char *out, size_t size)
{
	uint64_t offset, message;
	uint32_t total;
	if (!module_symbol(libc, "__abort_msg", &offset) || !stack_word(v, bias + offset, &message) || !message ||
	    v->read(v->context, message, &total, 4) != 4)
		return false;
	size_t count = v->read(v->context, message + 4, out, total < size ? total : size - 1);
	out[count] = 0;
	for (char *c = out; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = c[1] ? ' ' : 0;
	return *out;
}

/* "prog: prog.c:12: f: Assertion `x' failed." and "*** stack smashing detected ***: terminated" lose what says nothing. */
static void tell_message(const char *message, struct failure *out)
{
	const char *text = message, *end = strstr(message, " ***: ");
	if (strstr(message, ": Assertion `")) {
		const char *behind = strstr(message, ": ");
		text = strstr(behind, ": Assertion `") == behind ? message : behind + 2;
		snprintf(out->facts, sizeof out->facts, "assertion failed: %s", text);
	} else if (!strncmp(message, "*** ", 4) && end) {
		snprintf(out->facts, sizeof out->facts, "%.*s", (int)(end - message - 4), message + 4);
	} else {
		snprintf(out->facts, sizeof out->facts, "%s", text);
	}
}

static bool tell_from_message(const struct stack_view *v, struct failure *out)
{
	const struct module *last = NULL;
	char message[200];
	for (unsigned i = 0; i < out->location_frame; i++) {
		uint64_t bias;
		struct module *m = module_of(v, &out->stack[i], &bias);
		if (m && m != last && locate_abort_message(v, m, bias, message, sizeof message)) {
			tell_message(message, out);
			return true;
		}
		last = m;
	}
	return false;
}

static void tell_from_stack(const struct stack_view *v, const struct raw_failure *raw, struct failure *out)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (is_on_stack(v, out, kinds[i].procedure)) {
			snprintf(out->facts, sizeof out->facts, "%s", kinds[i].fact);
			return;
		}
	}
	snprintf(out->facts, sizeof out->facts, "the program sent itself the signal \"%s\"", strsignal(raw->signal));
}

void locate_abort(const struct stack_view *v, const struct raw_failure *raw, struct failure *out)
{
	out->monitor = raw->signal == SIGABRT ? MONITOR_ABORT : MONITOR_CRASH;
	out->location_frame = locate_application_frame(v, out);
	if (!out->location_frame)
		out->location_frame = caller_of_abort(v, out);
	if (raw->signal != SIGABRT || !tell_from_message(v, out))
		tell_from_stack(v, raw, out);
}
