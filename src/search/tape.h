/* tape: the recording interpreter, as the pass that computes wants sees it. */
#ifndef ELM_SEARCH_TAPE_H
#define ELM_SEARCH_TAPE_H

#include "elm/operator.h"
#include "elm/tape.h"

#define TAPE_CELLS_MAX (1 << 18)

struct tape_run {
    struct elm_tape *tape;
    const struct elm_tree *tree;
    const struct elm_names *names;
    const struct elm_io *io;
    const struct elm_evidence *evidence;
    uint16_t *frame_slots;       /* by function node */
    uint32_t entry;              /* function node */
    uint32_t case_at;
    uint32_t event_first, event_end;    /* of this case */
    uint32_t frame;              /* first binding of the function that is running */
    uint32_t depth;
    uint32_t result;             /* event that was returned; 0: none */
    uint32_t flip;               /* event of the condition to turn round; 0: none */
    bool stopped;
};
/* Fills tape->slots, frame_slots and entry. */
void tape_resolve(struct tape_run *r);
/* Runs a case, appending to the tape. False when it stopped before its end. r->result and the
 * bindings of r->frame then hold its outputs. */
bool tape_run_case(struct tape_run *r, uint32_t c);
/* Element i of an array of numbers in a case's bytes. */
union elm_value tape_number(const uint8_t *bytes, uint32_t i, bool real);

#endif
