/* host.h - host names in the form the rest of the program compares and prints. */
#ifndef GAZETTE_HOST_H
#define GAZETTE_HOST_H

#ifdef __cplusplus
extern "C" {
#endif

/* The plain form of a host name: escapes undone, compatibility characters (full-width letters,
 * ligatures, squared words) written out in ASCII, whatever is left beyond ASCII as %XX.
 * Returns memory to be freed, or NULL if the name is not valid. */
char *host_normalise(const char *raw);

#ifdef __cplusplus
}
#endif
#endif
