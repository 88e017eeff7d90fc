/* Procedure ranges from .eh_frame, through the sorted table of .eh_frame_hdr where there is one. */
#ifndef ENGINE_MODULE_FRAMES_H
#define ENGINE_MODULE_FRAMES_H

#include "engine/module.h"

/* Fills m->ranges; leaves it empty when there is no usable table. Bounds-checked: the file may be hostile. */
void module_read_frames(struct module *m);

#endif
