/* Is an address of text a legitimate place for control to have come to? Asked about places where no springboard stands, so seldom, and once for each that is
 * right:
 *
 *   return    behind a call; or anything that is legitimate for a jump from elsewhere (`push address; ret`)
 *   call      a procedure's entry as far as one is known: .eh_frame, symbols, endbr64, addresses that relocations, data, instructions or exception tables
 *             hold; where a direct jump of another procedure goes
 *   jump      any of these; what an indirect jump of the same procedure goes to
 *
 * What can't be told apart is taken for a jump. */
#ifndef MONITOR_TRANSFER_JUDGE_H
#define MONITOR_TRANSFER_JUDGE_H

#include "monitor/stack.h"

enum transfer_way { CAME_BY_RETURN, CAME_BY_CALL, CAME_BY_JUMP };

/* How control came to rip, as far as registers and stack tell. Registers are as on arrival, original addresses. */
enum transfer_way transfer_way(const struct stack_view *v, const struct cfi_registers *r);
bool transfer_is_legitimate(const struct stack_view *v, const struct cfi_registers *r, enum transfer_way way);

#endif
