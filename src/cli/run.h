/* run: what `elm run` knows when it works, and what its end prints. */
#ifndef ELM_CLI_RUN_H
#define ELM_CLI_RUN_H

#include "cli/progress.h"
#include "cli/stored.h"

struct running {
    const struct invocation *v;
    struct elm_keeper *keeper;
    struct elm_problem *problem;
    char *label;                       /* NAME or NAME:VARIANT */
    char *folder;
    struct stored_about about;         /* of the run that goes on */
    struct elm_search_def def;
    struct elm_arena arena;            /* what def points to */
    struct elm_openness *openness;
    struct progress progress;
    struct elm_search_stats stats;     /* at the end */
    enum elm_search_end end;
    uint64_t hash;
    int signal;                        /* that ended it; 0: none */
};
/* The result on standard output. Returns the exit status. */
int run_end(struct running *r);
/* The command that goes on with this run: the same words again. */
void run_again(const struct running *r, struct elm_buf *out);

/* From now on the first SIGINT, SIGTERM or SIGHUP is only noted, the second one ends; run_stopped is
 * its number, 0 before. */
void run_catch_signals(void);
int run_stopped(void);

#endif
