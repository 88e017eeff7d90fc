/* buf.h - a byte string that grows. Contents may hold any byte; `data` is always NUL-terminated after
 * the first addition, so text can be handed to C functions as it is. */
#ifndef GAZETTE_BUF_H
#define GAZETTE_BUF_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct buf {
	char *data;
	size_t len, cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *text);
void buf_fmt(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_html(struct buf *b, const char *text);
void buf_drop(struct buf *b, size_t from_front);
void buf_free(struct buf *b);

#ifdef __cplusplus
}
#endif
#endif
