/* Procedure ranges from .eh_frame, through the sorted table of .eh_frame_hdr where there is one, and from Go's own table. */
#ifndef ENGINE_MODULE_FRAMES_H
#define ENGINE_MODULE_FRAMES_H

#include "base/vec.h"
#include "engine/module.h"

typedef VEC(struct range) range_list;

/* Fills m->ranges; leaves it empty when there is no usable table. Bounds-checked: the file may be hostile. */
void module_read_frames(struct module *m);

#endif
