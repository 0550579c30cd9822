/* models: what `elm models` does besides listing. */
#ifndef ELM_CLI_MODELS_H
#define ELM_CLI_MODELS_H

#include "cli/command.h"

#include "elm/models.h"

/* `elm models pull NAME`. Runs python3 and pip as processes of their own; on any failure, Ctrl-C
 * included, nothing of it is left. */
enum elm_status models_pull(const struct invocation *v, const char *name, struct elm_error *err);
/* `elm models check FILE`. Prints what the file holds and what is wrong with it; *problems is their
 * number. */
enum elm_status models_check(const struct invocation *v, const char *name, size_t *problems,
                             struct elm_error *err);
/* The entry of the catalog, or ELM_USAGE with the nearest name. */
enum elm_status models_entry(const char *name, const struct elm_model_entry **out,
                             struct elm_error *err);

#endif
