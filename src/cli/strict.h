/* --strict: which of the strict monitors. */
#ifndef CLI_STRICT_H
#define CLI_STRICT_H

#include <stdint.h>

/* Adds the monitors (enum strict_monitor) that a list with commas names; NULL: all of them. Returns 0 or -EINVAL. */
int strict_parse(const char *list, uint8_t *monitors) __attribute__((warn_unused_result));

#endif
