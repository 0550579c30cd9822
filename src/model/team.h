/* team: threads that share out numbered tasks and wait for each other. Who does which decides nothing. */
#ifndef MODEL_TEAM_H
#define MODEL_TEAM_H

#include "elm/base.h"

struct team;
/* threads: the caller's among them; 0: as many as cores. */
struct team *team_new(uint32_t threads);
void team_free(struct team *t);
uint32_t team_size(const struct team *t);
/* Calls work(ctx, task, thread) for every task 0 .. tasks - 1, thread < team_size; returns when all
 * are done. */
void team_run(struct team *t, uint32_t tasks,
              void (*work)(void *ctx, uint32_t task, uint32_t thread), void *ctx);

#endif
