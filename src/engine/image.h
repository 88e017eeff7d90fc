/* An image: the address space of a family of processes as the engine sees it: which modules are loaded where, which procedures are redirected, and the tables and
 * code that the guests share. Changes are staged, then committed to the text of every process at once. */
#ifndef ENGINE_IMAGE_H
#define ENGINE_IMAGE_H

#include <clearview/guest.h>

#include "base/vec.h"
#include "engine/refusal.h"
#include "engine/springboard.h"
#include "engine/weave_inline.h"

struct redirected;
struct snapshot;

/* A module in this address space. */
struct loaded {
	struct module *module;     /* the module cache's */
	uint64_t bias;             /* guest address = module offset + bias */
	struct range text;         /* guest addresses of the executable segments, first to last */
	struct zone *zone;         /* NULL: no zone reaches it, it stays native */
	struct guest_module *entry; /* in the tables; NULL until something is redirected */
	uint32_t *map;             /* its landing map */
	VEC(struct redirected *) redirected;
	struct redirected **owner; /* by index of module->ranges; NULL until something is redirected */
	VEC(struct procedure_wishes *) wished;
	struct procedure_wishes **wished_by_range;
	uint32_t refused;          /* procedures that could not be redirected */
	uint32_t refused_by[REFUSALS]; /* the same, by reason */
	VEC(struct refused { uint64_t offset; enum refusal why; }) refusals; /* the same, one by one */
	const struct inline_weaver *inlined[INLINE_WEAVERS_MAX]; /* what is woven into all its copies; owned by whoever put them there */
	size_t inlined_count;
	struct shadow *shadow;     /* node/weave_shadow.c's */
	struct heap_writes *heap_writes; /* node/weave_heap_writes.c's */
	uint32_t *visit_probes;    /* which count procedures, by index of module->ranges; NULL: none */
	struct snapshot *snapshot; /* what a former run has left of it (snapshot.h); NULL: nothing in use */
	bool lazy;                 /* redirected when it is first wanted: lazy.c */
	uint8_t *fetched;          /* of that: a byte a piece of the text; NULL: nothing yet */
	VEC(pid_t) sealed;         /* of that: where the text was made non-executable */
	bool fresh;                /* none of its code can be running yet */
	bool present;              /* used while the list of modules is brought up to date */
	VEC(struct range) written; /* module offsets that the program may have changed: nothing is redirected there */
	VEC(pid_t) in;             /* the processes of the family that have it loaded there */
};

/* A redirected procedure. */
struct redirected {
	struct loaded *loaded;
	struct procedure *procedure;
	struct copy *copy;
	struct text_plan *plans;
	size_t plan_count;
	bool staged;        /* text not written yet */
	bool leaving;       /* staged: back to the original bytes */
	bool given_up;      /* back to the original bytes for good: the program writes there itself */
	bool passing;       /* only observed: it goes back to native soon, so nothing may keep it from that */
	bool stayed;        /* while the rest of a process's text went back: leave.h */
	bool inherited;     /* springboards of a former plan, or a former supervisor, whose holes nobody knows any more, may still be executed */
	uint32_t generation; /* of the commit that wrote it last */
	VEC(uint64_t) extra; /* landings seen beyond what analysis knew */
	VEC(struct copy *) old_copies; /* threads may still be in there */
};

/* The probes that weavers want in one procedure. Which procedures are redirected follows from the wishes. */
struct procedure_wishes {
	struct loaded *loaded;
	uint64_t procedure; /* entry */
	VEC(struct wish {
		struct weave weave;
		uint32_t owner; /* whose: to take it back */
	}) wishes;
	bool dirty;         /* image_weave will make a new copy */
};

/* What is counted in whatever is redirected. */
enum visits { VISITS_NONE, VISITS_BLOCKS, VISITS_INSTRUCTIONS, VISITS_PROCEDURES /* each in a tally of its own */ };

/* How the engine reaches the processes. */
struct text_access {
	int (*write)(void *context, pid_t pid, uint64_t address, const void *bytes, size_t size);
	/* Returns when every processor has executed a serialising instruction since the call. */
	void (*synchronise)(void *context);
	void *context;
	/* All of the bytes, 0 or -errno. */
	int (*read)(void *context, pid_t pid, uint64_t address, void *bytes, size_t size);
};

struct image_process {
	pid_t pid;
	uint32_t generation; /* of its text */
	bool is_leaving;     /* going back to native: leave.h */
};

struct image {
	uint8_t *code_host;          /* code memfd, GUEST_CODE_OFFSET + 2 * ZONE_SIZE bytes */
	int code_file;               /* its descriptor; -1: none, then only what code_host maps can be written */
	struct guest_tables *tables;
	struct guest_shared *shared; /* written by the guest: never trust */
	uint64_t base;               /* zone 0's base in the guests */
	struct zone zones[2];
	size_t zone_count;
	uint64_t next_map;           /* free space for landing maps: offset in the tables region */
	uint32_t next_probe;
	VEC(uint32_t) free_probes;   /* from the first that was freed to the last */
	size_t free_probes_used;     /* how many of them were taken again */
	VEC(struct loaded *) modules;
	VEC(struct image_process) processes;
	struct text_access access;
	VEC(struct procedure_wishes *) dirty;
	uint32_t generation;
	VEC(struct former_copy { uint64_t code, original; }) former; /* inherited landing maps, by code address */
	bool has_inherited;
	bool redirect_all;           /* procedures stay redirected when their last wish goes */
	bool direct_calls;           /* with redirect_all: calls lead straight to the copies */
	bool only_traps;             /* bug provoker: every springboard an int3 */
	uint8_t visits;              /* bug provoker: enum visits, a counting probe at each */
	uint32_t visit_probe;        /* the one whose tally counts blocks or instructions; 0: none yet */
	struct springboard_counts counts;
	int snapshots;               /* descriptor of the folder they are in; -1: none are used */
};

/* Takes over the host mappings; base and zones as the guest maps them. */
void image_init(struct image *im, uint8_t *code_host, void *shared_host, uint64_t base, const struct text_access *access);
void image_add_zone(struct image *im, uint64_t start, bool above);
void image_release(struct image *im);

struct loaded *image_load(struct image *im, struct module *m, uint64_t bias);
void image_unload(struct image *im, struct loaded *l);
struct loaded *image_module_at(struct image *im, uint64_t address);   /* by text address, guest */
struct loaded *image_module(struct image *im, const struct module_key *key);

/* A probe's table entry, disabled; 0 when the table is full. Its tally is cleared. */
uint32_t image_probe_new(struct image *im);
void image_probe_free(struct image *im, uint32_t probe);
/* It was woven with RESUME_TEXT, and what was redirected for it isn't any more, or to another copy (committed): threads that still come by it in an old copy
 * go on in the text. Call it before image_probe_free. */
void image_probe_leaves(struct image *im, uint32_t probe);
struct guest_probe *image_probe(struct image *im, uint32_t probe);

/* Redirects the procedure that holds `offset`, with these probes (sorted by offset; resume addresses are filled in), replacing whatever copy it has.
 * Staged: nothing changes in the guest before image_commit. Returns 0 or -errno (-ERANGE, -ENOSPC, -EFAULT, ...; counted as refused). */
int image_redirect(struct image *im, struct loaded *l, uint64_t offset, struct weave *weaves, size_t count)
	__attribute__((warn_unused_result));
/* Stages its way back to native. */
void image_restore(struct image *im, struct redirected *r);
struct redirected *image_redirected(struct loaded *l, uint64_t offset);
size_t image_redirected_count(const struct loaded *l);
/* The program is about to write into this text (guest addresses): stages the way back to native of all procedures there, and never redirects them again. alone: one
 * thread is all that can be running there; with others, a procedure with springboards of two bytes keeps them. */
void image_give_up(struct image *im, struct loaded *l, struct range text, bool alone);

/* Weavers: state a wish (nothing happens yet), take all of an owner's wishes back, and stage what the wishes of all owners now add up to: one copy a
 * procedure with all their probes. image_weave returns the number of procedures that could not be redirected. */
int image_wish(struct image *im, struct loaded *l, const struct weave *w, uint32_t owner) __attribute__((warn_unused_result));
void image_unwish(struct image *im, uint32_t owner);
/* Only in the procedure that holds the offset: cheap where an owner wishes for one procedure. */
void image_unwish_procedure(struct image *im, struct loaded *l, uint64_t offset, uint32_t owner);
unsigned image_weave(struct image *im);
/* What is woven inline into the procedure that holds the offset has changed: image_weave makes a new copy of it. */
void image_weave_again(struct image *im, struct loaded *l, uint64_t offset);
/* Every procedure of the module (ld.so's debugger hook at `except` stays out: pass 0 for none). */
typedef void image_progress(const char *what, const char *name, size_t done, size_t total);
void image_redirect_module(struct image *im, struct loaded *l, uint64_t except, image_progress *tell);

/* With VISITS_PROCEDURES: how many of the module's redirected procedures were executed. */
size_t image_visited(const struct image *im, const struct loaded *l);

/* lazy.c. Instead: redirect what is executed, when it is. The text of a lazy module is made non-executable in a process; what a thread then wants to execute
 * is fetched: the procedures in that piece of the text (guest addresses, whole pages) are redirected and written, and the piece can be made executable. Nobody can
 * be executing in it before, so nobody has to be waited for. */
bool image_make_lazy(struct image *im, struct loaded *l);
/* The pieces of text to seal in a process, as *pages, one a call; false: no more. */
bool image_next_seal(struct image *im, pid_t pid, struct range *pages);
void image_inherit_seals(struct image *im, pid_t parent, pid_t child);
/* except: as in image_redirect_module. False: the address isn't in the text of a lazy module. */
bool image_fetch(struct image *im, pid_t pid, uint64_t address, uint64_t except, struct range *pages);

/* Which processes there are, and which have the module. */
void image_add_process(struct image *im, pid_t pid, uint32_t generation);
void image_remove_process(struct image *im, pid_t pid);
bool image_process_has(const struct loaded *l, pid_t pid);

/* A single trapping byte at a text address leads to `to` (a guest address in a zone): for hooks on procedures that stay native. */
int image_hook(struct image *im, struct loaded *l, uint64_t offset, uint64_t to) __attribute__((warn_unused_result));
/* `jmp` to an address of the blob, in the module's zone; 0: zone full. */
uint64_t image_blob_stub(struct image *im, struct loaded *l, enum guest_entry entry);

/* Writes everything staged into every process. live: threads may be running in there. Returns the last error of a process that is still there. */
int image_commit(struct image *im, bool live);
/* The process has just mapped a module that others have: what is redirected there is written. Nobody can be executing it in that process. */
void image_join(struct image *im, struct loaded *l, pid_t pid);
/* lead_back.c: calls lead straight to copies no longer, for good, in any process. Returns how many are written. */
size_t image_lead_calls_back(struct image *im);
/* Brings a process whose text is of an older generation up to date (a child forked while a commit was under way). live: as above; else its only thread is in the
 * blob, and serialises before it leaves it. */
int image_update_process(struct image *im, pid_t pid, uint32_t generation, bool live);

/* A landing that the guest's map doesn't know: makes a copy from there on if the address was ever meant to be code. Returns the guest address to go on at, 0: not ours. */
uint64_t image_landing(struct image *im, uint64_t address);
/* Does the engine have a trap of its own at this text address? The text there is no longer what the file has. */
bool image_traps_at(struct image *im, uint64_t address);
/* Where a landing at the text address would go on, a guest address; 0: the map doesn't know it. */
uint64_t image_landing_goes_to(struct image *im, uint64_t address);
/* Landings at an address that the map knows need not be judged from now on. Returns where they go on, a guest address; 0: the map doesn't know it. */
uint64_t image_approve(struct image *im, uint64_t address);
/* Many landings at one address: give it a springboard of its own, with the next image_weave and commit. -EALREADY: it had its chance. */
int image_landing_is_hot(struct image *im, uint64_t address);
/* The original address of an address in a copy; 0 if it isn't in one. */
uint64_t image_original(struct image *im, uint64_t code_address);

/* Whether the copy of an instruction begins exactly there: not its probes, not the middle of what stands for it, not the jump to one left in place. */
bool image_begins_insn(struct image *im, uint64_t code_address);

/* Guest address of the copy of an instruction; 0: none, or it runs in place. */
uint64_t image_copy_of(const struct redirected *r, uint64_t offset);

/* Sets the fault actions (any order; the engine sorts and publishes them). */
void image_fault_actions(struct image *im, struct guest_fault_action *actions, size_t count);

#endif
