#include "node/firewall.h"

#include "base/log.h"
#include "monitor/transfer_judge.h"
#include "node/enforce.h"
#include "node/failures_private.h"
#include "node/supervisor.h"

void firewall_begin(struct family *f)
{
	const struct guard_options *o = &f->supervisor->options;
	f->image.tables->firewall = o->strict & STRICT_FIREWALL;
	f->image.tables->no_jit = o->strict & STRICT_FIREWALL && !firewall_may_make_code(o, f->program_module->path);
	f->image.tables->legacy.jit = !f->image.tables->no_jit;
}

/* Where it goes on in the copy; made now, where analysis didn't know that there is code. */
static uint64_t let_through(struct family *f, uint64_t address)
{
	uint64_t to = image_approve(&f->image, address);
	if (to)
		return to;
	to = image_landing(&f->image, address);
	image_approve(&f->image, address);
	return to;
}

static const char *const way_names[] = {[CAME_BY_RETURN] = "return", [CAME_BY_CALL] = "call", [CAME_BY_JUMP] = "jump"};

uint64_t firewall_judge(struct family *f, pid_t pid, uint64_t address, uint64_t context)
{
	struct view_context context_of_view = {f, pid};
	struct stack_view view = failures_view(&context_of_view);
	struct cfi_registers r;
	if (!image_traps_at(&f->image, address))
		return image_landing(&f->image, address);
	if (failures_read_context(f, pid, context, &r))
		return TRANSFER_WRONG;
	r.rip = address;
	enum transfer_way way = transfer_way(&view, &r);
	bool is_legitimate = enforcement_goes_on_at(f->supervisor->enforcement, f, address) || transfer_is_legitimate(&view, &r, way);
	log_debug("firewall: %s to %#lx in %d: %s", way_names[way], address, pid, is_legitimate ? "let through" : "not legitimate");
	return is_legitimate ? let_through(f, address) : TRANSFER_WRONG;
}

void firewall_approve(struct family *f, uint64_t address)
{
	if (image_traps_at(&f->image, address))
		let_through(f, address);
}
