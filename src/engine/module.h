/* A module: one ELF file (program, library or dynamic loader) as it lies on disk. Offsets are ELF virtual addresses (load bias 0). */
#ifndef ENGINE_MODULE_H
#define ENGINE_MODULE_H

#include <clearview/point.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct range {
	uint64_t start, end; /* end is exclusive */
};

struct segment {
	uint64_t offset;      /* ELF virtual address */
	uint64_t memory_size; /* bytes */
	uint64_t file_size;
	uint64_t file_offset;
	int protection;       /* PROT_* */
};

enum { SNAPSHOTS_MAX = 8 };

struct cfi;
struct procedure;
struct symbol_answers;
struct syscall_site;

/* Targets of the direct jumps that leave a range. */
struct range_exits {
	uint64_t *targets;
	uint32_t count;
	bool known;
};

struct module {
	struct module_key key;
	char *path;
	const uint8_t *file; /* the whole file, mapped */
	size_t size;
	dev_t device;
	ino_t inode;
	uint64_t changed_ns; /* when the file was changed last */
	bool is_program;      /* has an entry point and an interpreter, or is ET_EXEC */
	bool is_position_independent;
	uint64_t entry;
	const char *interpreter; /* NULL: static */
	int stack_flags;         /* PT_GNU_STACK p_flags; -1: no such header */
	struct segment segments[16];
	size_t segment_count;
	bool has_go;          /* a table of Go's procedures */
	struct range *ranges; /* .eh_frame's procedure ranges, and those of Go's own table; ascending, not overlapping */
	size_t range_count;
	struct range_exits *exits; /* by range; procedure.c's, made at need */
	uint64_t *roots;      /* addresses in text held by relative relocations (and, in ET_EXEC, data words) and landing pads of exceptions, ascending: control may
			       * come there by what is computed */
	size_t root_count;
	void *elf;            /* Elf *, for the unwinder */
	struct cfi *cfi;      /* engine/cfi.c's cache, made at first use */
	struct symbol_answers *symbols; /* what was looked up, engine/module_symbols.c's */
	struct syscall_site *sites; /* engine/syscall_sites.c's, for one list of wanted calls */
	size_t site_count;
	uint64_t sites_wanted;   /* names that list; 0: none yet */
	struct range *restartable; /* engine/restartable.c's */
	size_t restartable_count;
	bool restartable_known;
	struct procedure **decoded; /* engine/procedure.c's cache, by index of ranges[] */
	const void *analysis;    /* the file that this was filled in from (engine/analysis.h); NULL: analysed here */
	size_t analysis_size;
	uint64_t *targets;       /* engine/targets.c's, made at need, ascending */
	size_t target_count;
	bool targets_known;
	const void *snapshots[SNAPSHOTS_MAX]; /* engine/snapshot.h's, those that were opened */
	struct module *next_guarded;
	volatile bool is_lost;   /* its file was cut short: engine/module_lost.h */
	bool learned;            /* there is something that is in no such file yet */
};

/* Opens and analyses an x86-64 ELF file. Returns 0, -errno, or -ENOEXEC for what is no x86-64 ELF executable or library. */
int module_open(const char *path, struct module **out) __attribute__((warn_unused_result));
/* The same with what an earlier analysis has left in the folder (engine/analysis.h; a descriptor, or -1). */
int module_open_known(const char *path, int folder, struct module **out) __attribute__((warn_unused_result));
void module_free(struct module *m);

/* The file's bytes at an offset; NULL when it is not backed by the file. *available: how many bytes follow in that segment. */
const uint8_t *module_bytes(const struct module *m, uint64_t offset, size_t *available);

/* The executable segment that holds the offset, or NULL. */
const struct segment *module_text(const struct module *m, uint64_t offset);

/* There is only one: what lies between two may be anything. */
bool module_has_one_text(const struct module *m);

/* The .eh_frame range that holds the offset. */
bool module_range(const struct module *m, uint64_t offset, struct range *out);

/* Its index in ranges[], or SIZE_MAX. */
size_t module_range_index(const struct module *m, uint64_t offset);

/* Index of the first range that ends behind the offset. */
size_t module_range_after(const struct module *m, uint64_t offset);

/* Index of the first root at or behind the offset. */
size_t module_root_after(const struct module *m, uint64_t offset);

/* A defined function or object by name, from .dynsym, then .symtab. False if there is none. */
bool module_symbol(const struct module *m, const char *name, uint64_t *offset);

/* The same, only what other modules can bind to (.dynsym). */
bool module_exported(const struct module *m, const char *name, uint64_t *offset);

/* The nearest symbol at or before the offset whose size covers it (or is 0); NULL if there is none. *delta: distance, bytes. */
const char *module_symbol_at(const struct module *m, uint64_t offset, uint64_t *delta);

#endif
