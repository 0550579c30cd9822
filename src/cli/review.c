/* review: one pass over everything a run stored. */
#include "cli/stored.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_operators(struct stored_review *r)
{
    for (const char *at = r->about.operators; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, ",");
        if (r->operator_count < ELM_OPERATORS_MAX) {
            struct stored_operator *o = &r->operators[r->operator_count++];
            snprintf(o->name, sizeof(o->name), "%.*s", (int)len, at);
        }
        at += len + (at[len] == ',');
    }
}

static void add_step(struct stored_review *r, const struct elm_attempt *a)
{
    if (r->step_count > 0 && !(a->fitness > r->steps[r->step_count - 1].fitness))
        return;
    if ((r->step_count & (r->step_count - 1)) == 0) {
        size_t cap = r->step_count == 0 ? 1 : r->step_count * 2u;
        r->steps = elm_realloc(r->steps, cap * sizeof(r->steps[0]));
    }
    r->steps[r->step_count++] = (struct stored_step){a->id, r->evaluations, a->fitness,
                                                     a->operator_index};
}

static bool count(void *ctx, const struct elm_attempt *a)
{
    struct stored_review *r = ctx;
    bool evaluated = a->hash != 0 || a->id == 0;
    r->attempts++;
    r->evaluations += evaluated;
    r->ok += a->status == ELM_EVAL_OK;
    if (a->status < ELM_EVAL_STATUSES)
        r->by_status[a->status]++;
    if (a->operator_index < r->operator_count) {
        struct stored_operator *o = &r->operators[a->operator_index];
        o->attempts++;
        o->evaluations += evaluated;
        o->better += a->better == ELM_BETTER_YES;
        o->admitted += a->outcome >= ELM_OUTCOME_IMPROVED;
    }
    if (a->id == 0 || (a->status == ELM_EVAL_OK && a->outcome >= ELM_OUTCOME_IMPROVED))
        add_step(r, a);
    return true;
}

static bool keep_elite(void *ctx, const struct elm_archive_row *row)
{
    struct stored_review *r = ctx;
    if ((r->elite_count & (r->elite_count - 1)) == 0) {
        size_t cap = r->elite_count == 0 ? 1 : r->elite_count * 2u;
        r->elites = elm_realloc(r->elites, cap * sizeof(r->elites[0]));
    }
    r->elites[r->elite_count++] = *row;
    return true;
}

static bool keep_progress(void *ctx, const struct elm_progress_row *row)
{
    struct stored_review *r = ctx;
    /* each command's clock begins at 0 */
    r->wall_us += row->wall_us >= r->last_wall_us ? row->wall_us - r->last_wall_us : row->wall_us;
    r->last_wall_us = row->wall_us;
    r->coverage = row->coverage;
    return true;
}

static enum elm_status read_all(struct elm_store *store, struct stored_review *r,
                                struct elm_error *err)
{
    ELM_TRY(stored_about(store, &r->about, err));
    name_operators(r);
    struct elm_store_totals totals;
    ELM_TRY(elm_store_totals(store, &totals, err));
    r->admitted = totals.admitted;
    r->file_bytes = totals.file_bytes;
    r->packed_bytes = totals.packed_bytes;
    ELM_TRY(elm_store_each(store, 0, count, r, err));
    ELM_TRY(elm_store_each_archive(store, keep_elite, r, err));
    return elm_store_each_progress(store, keep_progress, r, err);
}

enum elm_status stored_review(const char *folder, struct stored_review *out,
                              struct elm_error *err)
{
    *out = (struct stored_review){.folder = elm_strdup(folder), .coverage = NAN};
    struct elm_store *store;
    enum elm_status status = elm_store_open(folder, ELM_STORE_READ, &store, err);
    if (status == ELM_OK) {
        status = read_all(store, out, err);
        elm_store_close(store, NULL);
    }
    if (status != ELM_OK)
        stored_review_release(out);
    return status;
}

void stored_review_release(struct stored_review *r)
{
    stored_about_release(&r->about);
    free(r->folder);
    free(r->steps);
    free(r->elites);
    *r = (struct stored_review){0};
}

const char *stored_operator_name(const struct stored_review *r, uint8_t index)
{
    return index < r->operator_count ? r->operators[index].name : "seed";
}
