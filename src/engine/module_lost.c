#include "engine/module_lost.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#include "engine/module.h"

enum { PAGE = 4096 };

static struct module *guarded;
static struct sigaction former;

/* Not while the list is being changed: nothing in a file is read then. */
static struct module *module_mapped_at(uint64_t address)
{
	struct module *m = guarded;
	while (m && address - (uint64_t)m->file >= ((m->size + PAGE - 1) & ~(PAGE - 1ul)))
		m = m->next_guarded;
	return m;
}

static void on_bus_error(int signal, siginfo_t *info, void *context)
{
	uint64_t address = (uint64_t)info->si_addr;
	struct module *m = info->si_code > 0 ? module_mapped_at(address) : NULL;
	void *page = (void *)(address & ~(PAGE - 1ul));
	if (m && mmap(page, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page)
		m->is_lost = true;
	else
		sigaction(SIGBUS, &former, NULL); /* it comes again, to whoever cares */
}

void module_guard(struct module *m)
{
	static bool armed;
	struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	if (!armed)
		sigaction(SIGBUS, &action, &former);
	armed = true;
	m->next_guarded = guarded;
	guarded = m;
}

void module_unguard(struct module *m)
{
	struct module **at = &guarded;
	while (*at && *at != m)
		at = &(*at)->next_guarded;
	if (*at)
		*at = m->next_guarded;
}
