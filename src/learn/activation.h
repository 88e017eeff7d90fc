/* The newest values of live procedure activations. An activation is named by process and canonical frame address; a record of the procedure's entry begins
 * one anew. The table is bounded: the one used longest ago makes room, and its later records find nothing, which only costs samples. */
#ifndef LEARN_ACTIVATION_H
#define LEARN_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct activations;

struct activations *activations_new(size_t variables, size_t max);
void activations_free(struct activations *t);

/* Begins one; sp: the stack pointer at the entry. Any earlier one of that name is forgotten. */
void activations_enter(struct activations *t, uint32_t pid, uint64_t cfa, uint64_t sp);
/* Makes the named one current; false: not known. */
bool activations_select(struct activations *t, uint32_t pid, uint64_t cfa);
void activations_forget_all(struct activations *t);

/* Of the current one. */
uint64_t activations_entry_sp(const struct activations *t);
void activations_set(struct activations *t, size_t variable, int64_t value);
void activations_clear(struct activations *t, size_t variable); /* the newest value is not known */
bool activations_get(const struct activations *t, size_t variable, int64_t *value);

#endif
