/* export: attempts of a run as JSON lines. `elm export --help` names the keys and forms. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/print.h"
#include "cli/text.h"
#include "elm/dataset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct exporting {
    struct stored_programs programs;
    struct stored_review review;
    const char *folder, *format;       /* format: NULL or "attempts", else a form of TRL */
    bool texts;
    double admitted;
    FILE *to;
    uint64_t lines;
    enum elm_status status;
    struct elm_error *err;
};

static bool write_attempt(void *ctx, const struct elm_attempt *a)
{
    struct exporting *e = ctx;
    struct elm_buf text = {0};
    bool admitted = a->id == 0 || a->outcome >= ELM_OUTCOME_IMPROVED;
    if (admitted || e->texts)
        e->status = stored_attempt_text(&e->programs, a, &text, e->err);
    if (e->status == ELM_OK) {
        json_t *line = print_attempt_json(&e->programs, a,
                                          stored_operator_name(&e->review, a->operator_index));
        json_object_set_new(line, "text", json_text(elm_buf_str(&text)));
        json_print(line, e->to, true);
        e->lines++;
        if (ferror(e->to)) {
            e->status = elm_fail(e->err, errno == ENOSPC ? ELM_FULL : ELM_IO,
                                 "cannot write line %llu: %s", (unsigned long long)e->lines,
                                 strerror(errno));
        }
    }
    elm_buf_release(&text);
    return e->status == ELM_OK;
}

static enum elm_status write_data(struct exporting *e, struct elm_error *err)
{
    enum elm_data_kind kind = strcmp(e->format, "trl-dpo") == 0    ? ELM_DATA_PAIRS
                              : strcmp(e->format, "trl-kto") == 0  ? ELM_DATA_LABELS
                              : strcmp(e->format, "trl-grpo") == 0 ? ELM_DATA_GROUPS
                                                                   : ELM_DATA_EXAMPLES;
    struct elm_dataset data = {0};
    struct elm_buf line = {0};
    enum elm_status status = e->admitted > 0
        ? elm_dataset_add_admitted(&data, (const char *const[]){e->folder}, 1, e->admitted, err)
        : elm_dataset_add(&data, kind, e->folder, err);
    for (uint32_t i = 0; status == ELM_OK && i < data.item_count; i++) {
        elm_buf_clear(&line);
        elm_dataset_line(&data, kind, i, &line);
        if (fwrite(line.ptr, 1, line.len, e->to) != line.len)
            status = elm_fail(err, errno == ENOSPC ? ELM_FULL : ELM_IO, "cannot write line %llu: %s",
                              (unsigned long long)e->lines + 1, strerror(errno));
        e->lines++;
    }
    elm_buf_release(&line);
    elm_dataset_release(&data);
    return status;
}

static enum elm_status write_all(struct exporting *e, struct elm_error *err)
{
    bool sft = e->format != NULL && strcmp(e->format, "trl-sft") == 0;
    if (e->admitted > 0 && !sft)
        return elm_fail(err, ELM_USAGE, "--admitted takes --format trl-sft");
    if (e->format != NULL && strcmp(e->format, "attempts") != 0)
        return write_data(e, err);
    ELM_TRY(elm_store_each(e->programs.store, 0, write_attempt, e, err));
    return e->status;
}

/* Into a file beside the wanted one, so that what stands there is whole or the old one. */
static enum elm_status write_file(struct exporting *e, const char *path, struct elm_error *err)
{
    struct elm_buf partial = {0};
    elm_buf_printf(&partial, "%s.%d.tmp", path, (int)getpid());
    enum elm_status status = ELM_OK;
    e->to = fopen(partial.ptr, "we");
    if (e->to == NULL) {
        status = elm_fail(err, ELM_IO, "cannot create '%s': %s", partial.ptr, strerror(errno));
    } else {
        status = write_all(e, err);
        bool written = fflush(e->to) == 0 && fsync(fileno(e->to)) == 0;
        int why = errno;
        if ((fclose(e->to) != 0 || !written) && status == ELM_OK) {
            status = elm_fail(err, why == ENOSPC ? ELM_FULL : ELM_IO, "cannot write '%s': %s", path,
                              strerror(why));
        }
        if (status == ELM_OK && rename(partial.ptr, path) != 0)
            status = elm_fail(err, ELM_IO, "cannot rename to '%s': %s", path, strerror(errno));
        if (status != ELM_OK)
            unlink(partial.ptr);
    }
    elm_buf_release(&partial);
    return status;
}

/* An empty file says nothing of why. */
static void say_none(const struct exporting *e)
{
    bool trl = e->format != NULL && strcmp(e->format, "attempts") != 0;
    if (!trl || e->lines > 0)
        return;
    if (e->admitted > 0)
        fprintf(stderr, "elm: no program is that good in its niche: a lower --admitted gives some\n");
    else
        fprintf(stderr, "elm: no line: no text of a model in this run gives one; --format trl-sft --admitted 0.9 "
                        "gives the programs that it kept\n");
}

static enum elm_status export(const struct invocation *v, struct exporting *e,
                              struct elm_error *err)
{
    char *folder;
    ELM_TRY(stored_find(v->args[0], &folder, err));
    enum elm_status status = stored_review(folder, &e->review, err);
    if (status == ELM_OK)
        status = stored_programs_open(folder, opt_text(v, OPT_PROBLEMS_PATH), &e->programs, err);
    free(folder);
    ELM_TRY(status);
    e->folder = e->programs.folder;
    const char *path = opt_text(v, OPT_OUTPUT);
    if (path == NULL || strcmp(path, "-") == 0)
        ELM_TRY(write_all(e, err));
    else
        ELM_TRY(write_file(e, path, err));
    if (opt_on(v, OPT_QUIET))
        return ELM_OK;
    say_none(e);
    if (path != NULL && strcmp(path, "-") != 0) {
        fprintf(stderr, "elm: %s lines in ", text_count(e->lines).s);
        text_put(stderr, elm_str(path));
        fprintf(stderr, "\n");
    }
    return ELM_OK;
}

int cmd_export(const struct invocation *v)
{
    struct elm_error err = {0};
    struct exporting e = {.to = stdout, .texts = opt_on(v, OPT_TEXTS),
                          .format = opt_text(v, OPT_FORMAT),
                          .admitted = opt_real(v, OPT_ADMITTED, 0), .err = &err};
    enum elm_status status = export(v, &e, &err);
    stored_programs_close(&e.programs);
    stored_review_release(&e.review);
    return status == ELM_OK ? EXIT_DONE : cmd_fail(&err);
}
