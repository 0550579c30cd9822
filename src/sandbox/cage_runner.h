/* cage_runner: what the halves of the runner share. Private to cage_runner.c and cage_play.c. */
#ifndef ELM_SANDBOX_CAGE_RUNNER_H
#define ELM_SANDBOX_CAGE_RUNNER_H

#include "code/vm.h"
#include "sandbox/cage_proc.h"

struct cases {
    const uint8_t *in;
    size_t bytes;
    uint32_t count;
};

/* A seat's boards, its counters and what its child keeps between rounds. */
struct seat {
    const uint8_t *live, *in;
    uint8_t *out;
    int asked, answered;
};

struct table {
    struct runner_join def;
    struct seat seats[SEATS_MAX];
    struct play_state *state;
    uint8_t *kept;             /* STATE arrays of all lanes: each child writes a copy of its own */
    int words, ends;
};

struct runner {
    struct runner_setup def;
    struct cases sets[ELM_SETS];
    uint32_t current;          /* the set that children see */
    const uint8_t *vm_code;
    uint8_t *results, *scratch;
    size_t scratch_bytes;
    int window;                /* descriptor */
    struct elm_vm_memory *vm;
    struct table table;
};

typedef void shim_function(const void *entry, const void *in, void *out, int count,
                           const uint8_t *live, void *state);

void runner_hide(void *memory, size_t bytes);        /* from children */
void runner_hide_vm(struct runner *r);
/* In a new child: maps the code, closes descriptors, arms the timer. NULL: it can't. */
shim_function *runner_become_candidate(const struct runner *r, const struct runner_request *q,
                                       const struct run_job *job);
void runner_clear_registers(void);
void runner_clear_stack(void);
void runner_reap(pid_t pid, struct run_result *result);

/* cage_play.c. Both return -1 when the runner can't go on. */
int play_join(struct runner *r, const struct runner_join *q, int *fds);
int play(struct runner *r, const struct runner_request *q, struct runner_reply *reply);

#endif
