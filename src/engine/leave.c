#include "engine/leave.h"

#include <errno.h>
#include <string.h>

#include "engine/image_private.h"
#include "engine/snapshot.h"

enum { JMP = 0xe9, JUMP_SIZE = 5, RED_ZONE = 128, PROBE_FRAME = 136, PROBE_SIZE = 15, RELEASE_SIZE = 8, JUMPS_MAX = 4 };

static struct image_process *find_process(struct image *im, pid_t pid)
{
	for (size_t i = 0; i < im->processes.count; i++)
		if (im->processes.at[i].pid == pid)
			return &im->processes.at[i];
	return NULL;
}

void image_leave_begin(struct image *im, pid_t pid)
{
	struct image_process *p = find_process(im, pid);
	for (size_t m = 0; m < im->modules.count; m++)
		snapshot_recall_all(im->modules.at[m], WHOLE_MODULE);
	if (p)
		p->is_leaving = true;
}

bool image_is_leaving(struct image *im, pid_t pid)
{
	struct image_process *p = find_process(im, pid);
	return p && p->is_leaving;
}

int image_leave_end(struct image *im, pid_t pid)
{
	struct image_process *p = find_process(im, pid);
	if (!p || !p->is_leaving)
		return 0;
	p->is_leaving = false;
	return image_update_process(im, pid, 0, true);
}

static bool has_holes(const struct redirected *r)
{
	for (size_t i = 0; i < r->plan_count; i++)
		if (r->plans[i].has_holes)
			return true;
	return r->inherited;
}

typedef int change(struct image *im, pid_t pid, struct redirected *r);

static int change_all(struct image *im, pid_t pid, change *what)
{
	int worst = 0;
	for (size_t m = 0; m < im->modules.count; m++) {
		struct loaded *l = im->modules.at[m];
		for (size_t i = 0; i < l->redirected.count && image_process_has(l, pid); i++) {
			int status = what(im, pid, l->redirected.at[i]);
			if (status)
				worst = status;
		}
	}
	return worst;
}

static int write_step1(struct image *im, pid_t pid, struct redirected *r)
{
	return r->stayed ? 0 : image_write_original(im, pid, r, 1);
}

static int write_step2(struct image *im, pid_t pid, struct redirected *r)
{
	return r->stayed ? 0 : image_write_original(im, pid, r, 2);
}

static int write_step3(struct image *im, pid_t pid, struct redirected *r)
{
	return r->stayed ? 0 : image_write_original(im, pid, r, 3);
}

static bool crosses_page(const struct redirected *r)
{
	for (size_t i = 0; i < r->plan_count; i++)
		if ((r->plans[i].range.start ^ (r->plans[i].range.end - 1)) & ~4095ul)
			return true;
	return false;
}

/* A page is written at once, whatever becomes of us meanwhile. */
static int write_stayed(struct image *im, pid_t pid, struct redirected *r)
{
	int worst = 0, first = crosses_page(r) ? 1 : 0;
	for (int step = first; step <= 3 * first && r->stayed; step++) {
		int status = image_write_original(im, pid, r, step);
		worst = status ? status : worst;
	}
	return worst;
}

int image_leave_text(struct image *im, pid_t pid, uint32_t keep)
{
	static change *const steps[] = {write_step1, write_step2, write_step3};
	int worst = 0;
	for (size_t m = 0; m < im->modules.count; m++)
		for (size_t i = 0; i < im->modules.at[m]->redirected.count; i++) {
			struct redirected *r = im->modules.at[m]->redirected.at[i];
			r->stayed = has_holes(r) || image_wishes_of(r->loaded, r->procedure->entry, keep);
		}
	for (int i = 0; i < 3; i++) {
		int status = change_all(im, pid, steps[i]);
		worst = status ? status : worst;
		if (i < 2)
			im->access.synchronise(im->access.context);
	}
	return worst;
}

int image_leave_rest(struct image *im, pid_t pid)
{
	return change_all(im, pid, write_stayed);
}

int image_unhook(struct image *im, struct loaded *l, uint64_t offset, pid_t pid)
{
	size_t available;
	const uint8_t *byte = module_bytes(l->module, offset, &available);
	return byte ? im->access.write(im->access.context, pid, offset + l->bias, byte, 1) : -EFAULT;
}

int image_rehook(struct image *im, struct loaded *l, uint64_t offset, pid_t pid)
{
	bool hooked = l->map && l->map[offset + l->bias - l->text.start];
	return hooked ? im->access.write(im->access.context, pid, offset + l->bias, (uint8_t[]){0xcc}, 1) : -ENOENT;
}

/* --- Threads. */

static struct zone *zone_of(struct image *im, uint64_t address)
{
	for (size_t i = 0; i < im->zone_count; i++)
		if (zone_holds(&im->zones[i], address))
			return &im->zones[i];
	return NULL;
}

static bool is_probe(const uint8_t *at)
{
	static const uint8_t reserve[] = {0x48, 0x8d, 0x64, 0x24, 0x80};
	return !memcmp(at, reserve, sizeof reserve) && at[5] == 0x68 && at[10] == 0xe8;
}

static bool is_release(const uint8_t *at)
{
	static const uint8_t release[] = {0x48, 0x8d, 0xa4, 0x24, 136, 0, 0, 0};
	return !memcmp(at, release, sizeof release);
}

/* Within a probe's code: back to its start, or on behind it, as guest/handler.c does it. */
static void leave_probe(const struct zone *z, uint64_t *pc, uint64_t *sp)
{
	const uint8_t *at = zone_host(z, *pc);
	if (*pc - z->start < PROBE_SIZE || *pc - z->start > ZONE_SIZE - PROBE_SIZE)
		return;
	if (is_probe(at - 5)) {
		*sp += RED_ZONE;
		*pc -= 5;
	} else if (is_probe(at - 10)) {
		*sp += PROBE_FRAME;
		*pc -= 10;
	} else if (is_release(at) && (is_probe(at - PROBE_SIZE) || at[RELEASE_SIZE] == JMP)) {
		*sp += PROBE_FRAME;
		*pc += RELEASE_SIZE;
	}
}

static uint64_t jump_target(uint64_t pc, const uint8_t *at)
{
	int32_t distance;
	memcpy(&distance, at + 1, sizeof distance);
	return pc + JUMP_SIZE + distance;
}

/* The original of a place in a copy between two of the original's instructions. */
static bool boundary(const struct copy *c, const struct zone *z, uint64_t pc, uint64_t *offset)
{
	const struct copy_entry *e = copy_entry_at(c, pc);
	if (!e || !copy_original(c, pc, offset))
		return false;
	uint64_t at = pc - c->code;
	return at == e->code || at == e->moved || at == e->behind || ((at < e->moved || at > e->behind) && is_probe(zone_host(z, pc)));
}

static bool boundary_of(const struct redirected *r, const struct zone *z, uint64_t pc, uint64_t *offset)
{
	if (boundary(r->copy, z, pc, offset))
		return true;
	for (size_t i = 0; i < r->old_copies.count; i++)
		if (boundary(r->old_copies.at[i], z, pc, offset))
			return true;
	return false;
}

/* Copies of a former supervisor: only its landing map is left, which has all instructions. */
static bool former_boundary(const struct image *im, uint64_t pc, uint64_t *original)
{
	size_t low = 0, high = im->former.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (im->former.at[middle].code < pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == im->former.count || im->former.at[low].code != pc)
		return false;
	*original = im->former.at[low].original;
	return true;
}

static bool find_original(struct image *im, const struct zone *z, uint64_t pc, uint64_t *original)
{
	uint64_t offset;
	for (size_t m = 0; m < im->modules.count; m++) {
		const struct loaded *l = im->modules.at[m];
		for (size_t i = 0; i < l->redirected.count && l->zone == z; i++)
			if (boundary_of(l->redirected.at[i], z, pc, &offset)) {
				*original = offset + l->bias;
				return true;
			}
	}
	return former_boundary(im, pc, original);
}

static int leave_zone(struct image *im, uint64_t *pc, uint64_t *sp)
{
	struct zone *z;
	for (int jumps = 0; jumps < JUMPS_MAX && (z = zone_of(im, *pc)); jumps++) {
		leave_probe(z, pc, sp);
		if (find_original(im, z, *pc, pc))
			return 0;
		if (*zone_host(z, *pc) != JMP)
			return -EAGAIN;
		*pc = jump_target(*pc, zone_host(z, *pc));
	}
	return z ? -EAGAIN : 0;
}

/* On a jump in dead bytes, in the middle of an original instruction. */
static bool is_on_jump(struct image *im, pid_t pid, uint64_t pc, uint64_t *to)
{
	uint8_t bytes[JUMP_SIZE];
	struct loaded *l = image_module_at(im, pc);
	struct redirected *r = l ? image_redirected(l, pc - l->bias) : NULL;
	if (!r || procedure_insn(r->procedure, pc - l->bias) || im->access.read(im->access.context, pid, pc, bytes, sizeof bytes) || *bytes != JMP)
		return false;
	*to = jump_target(pc, bytes);
	return zone_of(im, *to);
}

int image_leave_thread(struct image *im, pid_t pid, uint64_t *pc, uint64_t *sp)
{
	uint64_t to = *pc, new_sp = *sp;
	if (!zone_of(im, to) && !is_on_jump(im, pid, *pc, &to))
		return 0;
	int status = leave_zone(im, &to, &new_sp);
	if (!status) {
		*pc = to;
		*sp = new_sp;
	}
	return status;
}
