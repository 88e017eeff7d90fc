#include "node/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/zone.h"
#include "inject/maps.h"
#include "inject/memory.h"
#include "inject/remap.h"
#include "node/bell.h"

enum { PAGE = 4096, CHUNK = 16 * PAGE, SCRATCH = 64, PROTECTION_CODE = PROT_READ | PROT_EXEC, PROTECTION_DATA = PROT_READ | PROT_WRITE };

_Static_assert(sizeof(struct guest_private) + SCRATCH <= GUEST_BELL_OFFSET - GUEST_PRIVATE_OFFSET, "there is room behind the private data");

int reach_bell(const struct orphan *o, bool *is_copy)
{
	int fd = open(o->bell, O_RDWR | O_CLOEXEC);
	*is_copy = fd < 0 && (errno == EPERM || errno == EACCES);
	return *is_copy ? bell_make() : fd < 0 ? -errno : fd;
}

static int open_files(const struct orphan *o, struct guest_memory *out)
{
	int code = open(o->code, O_RDWR | O_CLOEXEC), shared = code < 0 ? -1 : open(o->shared, O_RDWR | O_CLOEXEC);
	int status = shared < 0 ? -errno : guest_memory_map(out, code, shared);
	if (status && shared >= 0)
		close(shared);
	if (status && code >= 0)
		close(code);
	return status;
}

/* Zeros are left out: what was never written stays without memory. */
static int copy_range(pid_t pid, uint64_t from, uint8_t *to, size_t size)
{
	static const uint8_t zeros[PAGE];
	uint8_t bytes[CHUNK];
	for (size_t done = 0; done < size;) {
		size_t chunk = size - done < CHUNK ? size - done : CHUNK;
		int status = memory_read_all(pid, from + done, bytes, chunk);
		if (status)
			return status;
		for (size_t at = 0; at < chunk; at += PAGE) {
			size_t n = chunk - at < PAGE ? chunk - at : PAGE;
			if (memcmp(bytes + at, zeros, n))
				memcpy(to + done + at, bytes + at, n);
		}
		done += chunk;
	}
	return 0;
}

static int copy_zone(const struct orphan *o, size_t n, uint8_t *host)
{
	const struct guest_legacy *l = &o->legacy;
	struct zone z;
	int status = 0;
	zone_init(&z, l->zone[n], l->above[n], host);
	for (int i = 0; i < 2 && !status; i++)
		if (l->next_copy[n][i] > z.copies[i].next && l->next_copy[n][i] <= z.copies[i].end)
			status = copy_range(o->pid, z.copies[i].next, zone_host(&z, z.copies[i].next), l->next_copy[n][i] - z.copies[i].next);
	for (uint64_t page = 0; page < (z.hop_end - z.hop_start) / PAGE && !status; page++)
		if (l->hop_pages[n][page / 8] & 1 << page % 8)
			status = copy_range(o->pid, z.hop_start + page * PAGE, zone_host(&z, z.hop_start + page * PAGE), PAGE);
	zone_release(&z);
	return status;
}

static int copy_tables(const struct orphan *o, uint8_t *tables)
{
	uint64_t from = o->base + GUEST_TABLES_OFFSET;
	size_t used = offsetof(struct guest_tables, probe) + o->legacy.next_probe * sizeof(struct guest_probe);
	if (o->legacy.next_probe > PROBE_COUNT_MAX || o->legacy.next_map < GUEST_MAPS_OFFSET || o->legacy.next_map > GUEST_TABLES_SIZE)
		return -EPROTO;
	int status = copy_range(o->pid, from, tables, used);
	return status ? status : copy_range(o->pid, from + GUEST_MAPS_OFFSET, tables + GUEST_MAPS_OFFSET, o->legacy.next_map - GUEST_MAPS_OFFSET);
}

/* Without what stands in the ring. */
static int copy_shared(const struct orphan *o, struct guest_shared *shared)
{
	size_t used = offsetof(struct guest_shared, tally) + o->legacy.next_probe * sizeof(struct guest_tally);
	int status = copy_range(o->pid, o->base + GUEST_SHARED_OFFSET, (uint8_t *)shared, used);
	shared->ring_head = shared->ring_tail = 0;
	return status;
}

static int copy_memory(const struct orphan *o, struct guest_memory *out)
{
	int status = guest_memory_make(out);
	if (status)
		return status;
	status = copy_range(o->pid, o->base, out->code, GUEST_PRIVATE_OFFSET);
	if (!status)
		status = copy_tables(o, out->code + GUEST_TABLES_OFFSET);
	for (size_t n = 0; n < 2 && !status && o->legacy.zone[n]; n++)
		status = copy_zone(o, n, out->code + GUEST_CODE_OFFSET + n * ZONE_SIZE);
	if (!status)
		status = copy_shared(o, out->shared);
	if (status)
		guest_memory_release(out);
	return status;
}

int reach_family(const struct orphan *o, bool as_copy, struct guest_memory *out)
{
	return as_copy ? copy_memory(o, out) : open_files(o, out);
}

/* A `syscall` instruction of the blob: its bytes are the same before and after. 0: none. */
static uint64_t find_syscall(const struct orphan *o, const struct guest_memory *copy)
{
	const uint8_t *found = memmem(copy->code, GUEST_PRIVATE_OFFSET, "\x0f\x05", 2);
	return found ? o->base + (found - copy->code) : 0;
}

/* Which of the family's files a mapping is of; -1: none. */
static int file_of(const struct mapping *m, const struct guest_memory *copy, int bell)
{
	const struct { const char *name; int fd; } files[] = {{"code", copy->code_fd}, {"shared", copy->shared_fd}, {"bell", bell}};
	static const char prefix[] = "/memfd:clearview-";
	if (strncmp(m->path, prefix, sizeof prefix - 1))
		return -1;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (!strncmp(m->path + sizeof prefix - 1, files[i].name, strlen(files[i].name)))
			return files[i].fd;
	return -1;
}

int reach_join(const struct orphan *o, const struct guest_memory *copy, int bell)
{
	struct maps maps;
	VEC(struct remap_piece) pieces = {0};
	int status = maps_read(o->pid, &maps);
	if (status)
		return status;
	for (size_t i = 0; i < maps.count; i++) {
		const struct mapping *m = &maps.at[i];
		int fd = file_of(m, copy, bell);
		if (fd >= 0)
			vec_push(&pieces, (struct remap_piece){m->start, m->end - m->start, m->file_offset, fd, m->writable ? PROTECTION_DATA : PROTECTION_CODE});
	}
	maps_free(&maps);
	uint64_t syscall_at = find_syscall(o, copy);
	status = syscall_at ? remap_process(o->pid, syscall_at, o->base + GUEST_BELL_OFFSET - SCRATCH, pieces.at, pieces.count) : -EPROTO;
	vec_free(&pieces);
	return status;
}
