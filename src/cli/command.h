/*
 * command: one row of the command table (main.c).
 *
 * To add a command: src/cli/NAME.c with `int cmd_NAME(const struct invocation *v)`, a bit in
 * options.h, a row in main.c. Help, completion and docs/commands.md follow from the row;
 * tests/cli/help.sh and docs.sh run on it.
 */
#ifndef ELM_CLI_COMMAND_H
#define ELM_CLI_COMMAND_H

#include "cli/options.h"

struct command {
    const char *name;
    const char *arguments;       /* "RUN [PROGRAM]" */
    const char *summary;         /* one line */
    const char *about;           /* paragraphs */
    const char *examples;        /* lines */
    int args_min, args_max;
    uint32_t bit;                /* IN_* */
    int (*run)(const struct invocation *v);    /* returns the exit status */
};
/* Ends with a row without a name. */
extern const struct command command_table[];

/* Exit statuses, documented in docs/commands.md. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_SHORT_OF_TARGET = 3,
    EXIT_NO_SANDBOX = 4,
};
/* Prints "elm: MESSAGE" and returns the exit status that goes with it. */
int cmd_fail(const struct elm_error *err);

int cmd_run(const struct invocation *v);
int cmd_compare(const struct invocation *v);
int cmd_train(const struct invocation *v);
int cmd_cycle(const struct invocation *v);
int cmd_coevolve(const struct invocation *v);
int cmd_best(const struct invocation *v);
int cmd_show(const struct invocation *v);
int cmd_diff(const struct invocation *v);
int cmd_export(const struct invocation *v);
int cmd_replay(const struct invocation *v);
int cmd_new(const struct invocation *v);
int cmd_generate(const struct invocation *v);
int cmd_problems(const struct invocation *v);
int cmd_runs(const struct invocation *v);
int cmd_list(const struct invocation *v);
int cmd_models(const struct invocation *v);
int cmd_doctor(const struct invocation *v);
int cmd_completion(const struct invocation *v);
int cmd_help(const struct invocation *v);
/* `elm show prompt ...` (show_prompt.c). */
int show_prompt(const struct invocation *v);
/* `elm show RUN --open-ended` (show_openness.c). */
int show_openness(const struct invocation *v);

/* `elm --help`, `elm COMMAND --help`, and docs/commands.md (help.c). */
void help_overview(struct elm_buf *out);
void help_command(const struct command *c, struct elm_buf *out);
void help_document(struct elm_buf *out);
const struct command *cmd_find(const char *name);

#endif
