/* model: the options that say which model a run asks, as the library wants them. */
#ifndef ELM_CLI_MODEL_H
#define ELM_CLI_MODEL_H

#include "cli/options.h"
#include "elm/search.h"

/* Fills d->backend, d->model and what goes with them. Texts live in v and the
 * arena. Fails: ELM_USAGE. */
enum elm_status model_fill(const struct invocation *v, struct elm_arena *arena,
                           struct elm_search_def *d, struct elm_error *err);

#endif
