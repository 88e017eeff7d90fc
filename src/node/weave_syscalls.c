/* Probes at the system calls that change what ClearView relies on: signal actions and masks (the blob's handlers must stay, and the signals of faults and traps
 * must not be blocked), fork (new processes must be known) and exec (new programs must be followed). */
#include <sys/syscall.h>

#include "base/log.h"
#include "engine/syscall_sites.h"
#include "node/supervisor.h"
#include "node/tracers.h"
#include "node/weavers.h"

struct rule {
	int number;
	uint8_t before, after; /* enum probe_work, 0xff: none */
	bool for_descriptors;  /* only in programs with a signalfd for the signals of faults */
	bool before_for_code;  /* what comes before only in programs that mustn't make code */
	bool not_in_loader;    /* what a loader does with it, boot has done, or it does when it is the program */
	bool for_tracers;      /* only where we are to know of them: tracers.h */
};

enum { NOTHING = 0xff };

static const struct rule rules[] = {
	{SYS_rt_sigaction, PROBE_SYSCALL, NOTHING},
	{SYS_rt_sigprocmask, PROBE_SYSCALL, NOTHING},
	{SYS_sigaltstack, PROBE_SYSCALL, NOTHING},
	{SYS_set_robust_list, PROBE_SYSCALL, NOTHING, .not_in_loader = true}, /* glibc's threads do that first */
	{SYS_rt_sigpending, PROBE_SYSCALL, NOTHING},
	{SYS_rt_sigtimedwait, PROBE_SYSCALL, NOTHING},
	{SYS_rt_sigreturn, PROBE_SYSCALL, NOTHING},
	{SYS_rt_sigsuspend, PROBE_SYSCALL, PROBE_WAITED},
	{SYS_ppoll, PROBE_SYSCALL, PROBE_WAITED},
	{SYS_pselect6, PROBE_SYSCALL, PROBE_WAITED},
	{SYS_epoll_pwait, PROBE_SYSCALL, PROBE_WAITED},
	{SYS_epoll_pwait2, PROBE_SYSCALL, PROBE_WAITED},
	{SYS_signalfd, PROBE_SYSCALL, NOTHING},
	{SYS_signalfd4, PROBE_SYSCALL, NOTHING},
	{SYS_read, PROBE_SYSCALL, PROBE_WAITED, true},
	{SYS_readv, PROBE_SYSCALL, PROBE_WAITED, true},
	{SYS_poll, PROBE_SYSCALL, PROBE_WAITED, true},
	{SYS_select, PROBE_SYSCALL, PROBE_WAITED, true},
	{SYS_epoll_wait, PROBE_SYSCALL, PROBE_WAITED, true},
	{SYS_clone, PROBE_SYSCALL, PROBE_CLONED},
	{SYS_fork, PROBE_SYSCALL, PROBE_CLONED},
	{SYS_vfork, PROBE_SYSCALL, PROBE_CLONED},
	{SYS_clone3, PROBE_SYSCALL, PROBE_CLONED},
	{SYS_mprotect, PROBE_SYSCALL, NOTHING}, /* of text: the program will write there */
	{SYS_pkey_mprotect, PROBE_SYSCALL, NOTHING},
	{SYS_munmap, PROBE_SYSCALL, NOTHING}, /* of an alternate stack */
	{SYS_mmap, PROBE_SYSCALL, PROBE_MAPPED, .before_for_code = true},
	{SYS_personality, PROBE_SYSCALL, NOTHING, .before_for_code = true},
	{SYS_prctl, PROBE_SYSCALL, NOTHING}, /* filters of system calls */
	{SYS_seccomp, PROBE_SYSCALL, NOTHING},
	{SYS_ptrace, PROBE_SYSCALL, NOTHING, .for_tracers = true},
	{SYS_execve, PROBE_SYSCALL, PROBE_EXECED, .not_in_loader = true},
	{SYS_execveat, PROBE_SYSCALL, PROBE_EXECED, .not_in_loader = true},
};
static const struct rule from_argument = {-1, PROBE_SYSCALL, PROBE_CLONED};
enum { RULES = sizeof rules / sizeof rules[0] };

static const struct rule *rule_for(int number)
{
	for (int i = 0; i < RULES; i++)
		if (rules[i].number == number)
			return &rules[i];
	return &from_argument;
}

static void put_probe(struct family *f, struct loaded *l, const struct syscall_site *site, uint8_t work, enum weave_place place)
{
	bool wanted = work != NOTHING && (work != PROBE_MAPPED || f->image.tables->heap_checks);
	uint32_t probe = wanted ? image_probe_new(&f->image) : 0;
	if (!probe)
		return;
	struct guest_probe *p = image_probe(&f->image, probe);
	p->work = work;
	p->bound = site->number;
	p->enabled = 1;
	struct weave w = {.offset = site->offset, .place = place, .resume = work == PROBE_SYSCALL ? RESUME_BEHIND : RESUME_NONE, .probe = probe};
	if (image_wish(&f->image, l, &w, OWNER_SYSCALLS))
		log_info("%s: system call at %#lx stays unwatched", l->module->path, site->offset);
}

static const struct syscall_site *sites_of(struct module *m, size_t *count)
{
	int wanted[RULES];
	for (int i = 0; i < RULES; i++)
		wanted[i] = rules[i].number;
	return module_syscall_sites(m, wanted, RULES, count);
}

/* One that maps programs and nothing else: glibc's, not one that is the C library, too. It sets up the first thread, whose alternate stack it has from boot, and
 * executes nothing unless it is the program itself; all that in its largest procedure, which takes long to redirect. */
static bool is_mere_loader(const struct family *f, const struct loaded *l)
{
	uint64_t execve;
	return l->module != f->program_module && weavers_loader_hook(l) && !module_exported(l->module, "execve", &execve);
}

static void weave_rules(struct family *f, struct loaded *l, bool for_descriptors)
{
	size_t count;
	const struct syscall_site *sites = sites_of(l->module, &count);
	bool is_loader = is_mere_loader(f, l);
	for (size_t i = 0; l->zone && i < count; i++) {
		const struct rule *rule = rule_for(sites[i].number);
		if (rule->for_descriptors != for_descriptors || (rule->not_in_loader && is_loader) ||
		    (rule->for_tracers && !tracers_matter(&f->supervisor->options)))
			continue;
		if (!rule->before_for_code || f->image.tables->no_jit)
			put_probe(f, l, &sites[i], rule->before, WEAVE_BEFORE);
		put_probe(f, l, &sites[i], rule->after, WEAVE_AFTER);
	}
}

void weave_syscalls(struct family *f, struct loaded *l)
{
	weave_rules(f, l, false);
	if (f->has_signal_descriptors)
		weave_rules(f, l, true);
}

void weave_signal_descriptors(struct family *f)
{
	if (f->has_signal_descriptors)
		return;
	f->has_signal_descriptors = true;
	for (size_t i = 0; i < f->image.modules.count; i++)
		weave_rules(f, f->image.modules.at[i], true);
}
