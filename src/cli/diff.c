/* diff: the difference between two programs of a run. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/text.h"

#include <stdio.h>
#include <stdlib.h>

static enum elm_status get(struct stored_programs *p, const char *word, struct stored_program *out,
                           struct elm_error *err)
{
    int64_t id;
    ELM_TRY(stored_program_id(p, word, &id, err));
    ELM_TRY(stored_program_get(p, id, out, err));
    if (out->text.len > 0)
        return ELM_OK;
    stored_program_release(out);
    return elm_fail(err, ELM_USAGE, "the text of program %lld is not kept: %s", (long long)id,
                    p->problem == NULL ? "its problem is not to be found, see --problems-path"
                                       : "the operator made none, or the run has --keep good or "
                                         "stats");
}

static void print(const struct stored_program *a, const struct stored_program *b, bool json)
{
    struct elm_buf out = {0};
    print_diff(&out, elm_buf_str(&a->text), elm_buf_str(&b->text),
               !json && progress_colour(stdout));
    if (json) {
        json_print(json_make("{sIsIso}", "from", (json_int_t)a->attempt.id, "to",
                             (json_int_t)b->attempt.id, "diff",
                             json_text(out.ptr == NULL ? ELM_STR("") : elm_buf_str(&out))),
                   stdout, false);
    } else if (out.len > 0) {
        printf("--- program %lld\n+++ program %lld\n", (long long)a->attempt.id,
               (long long)b->attempt.id);
        text_print(stdout, &out);
    }
    elm_buf_release(&out);
}

static enum elm_status diff(const struct invocation *v, struct stored_programs *p,
                            struct elm_error *err)
{
    char *folder;
    ELM_TRY(stored_find(v->args[0], &folder, err));
    enum elm_status status = stored_programs_open(folder, opt_text(v, OPT_PROBLEMS_PATH), p, err);
    free(folder);
    ELM_TRY(status);
    const char *from = v->arg_count > 2 ? v->args[1] : "seed";
    const char *to = v->arg_count > 2 ? v->args[2] : v->arg_count > 1 ? v->args[1] : "best";
    struct stored_program a, b;
    ELM_TRY(get(p, from, &a, err));
    status = get(p, to, &b, err);
    if (status == ELM_OK) {
        print(&a, &b, opt_on(v, OPT_JSON));
        stored_program_release(&b);
    }
    stored_program_release(&a);
    return status;
}

int cmd_diff(const struct invocation *v)
{
    struct stored_programs programs = {0};
    struct elm_error err = {0};
    enum elm_status status = diff(v, &programs, &err);
    stored_programs_close(&programs);
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}
