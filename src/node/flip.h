/* A bug provoker (--flip): procedures are redirected, copied anew and put back all the time, at random, while they run. */
#ifndef NODE_FLIP_H
#define NODE_FLIP_H

#include "node/family.h"

enum { FLIP_EVERY_MS = 5 };

void flip_some(struct family *f);

#endif
