/* programs: the text of any attempt, admitted or not. */
#include "cli/stored.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct best {
    int64_t id;
    double fitness;
};

static bool keep_best(void *ctx, const struct elm_archive_row *row)
{
    struct best *b = ctx;
    if (b->id < 0 || row->fitness > b->fitness)
        *b = (struct best){row->program, row->fitness};
    return true;
}

static bool keep_best_attempt(void *ctx, const struct elm_attempt *a)
{
    struct best *b = ctx;
    bool admitted = a->id == 0 || a->outcome >= ELM_OUTCOME_IMPROVED;
    if (admitted && a->status == ELM_EVAL_OK && (b->id < 0 || a->fitness > b->fitness))
        *b = (struct best){a->id, a->fitness};
    return true;
}

/* The archive is written when a command ends; a run that works, or was killed, has its log. */
static enum elm_status find_best(struct stored_programs *p, struct elm_error *err)
{
    struct best best = {.id = -1};
    ELM_TRY(elm_store_each(p->store, 0, keep_best_attempt, &best, err));
    struct best elite = {.id = -1};
    ELM_TRY(elm_store_each_archive(p->store, keep_best, &elite, err));
    p->best_id = elite.id >= 0 && elite.fitness >= best.fitness ? elite.id : best.id;
    return ELM_OK;
}

enum elm_status stored_programs_open(const char *folder, const char *problems_path,
                                     struct stored_programs *out, struct elm_error *err)
{
    *out = (struct stored_programs){.folder = elm_strdup(folder), .best_id = -1, .tree_id = -1};
    if (elm_search_problem(folder, problems_path, &out->problem, NULL) != ELM_OK)
        out->problem = NULL;
    enum elm_status status = elm_store_open(folder, ELM_STORE_READ, &out->store, err);
    if (status == ELM_OK)
        status = find_best(out, err);
    if (status != ELM_OK)
        stored_programs_close(out);
    return status;
}

void stored_programs_close(struct stored_programs *p)
{
    if (p->store != NULL)
        elm_store_close(p->store, NULL);
    elm_tree_release(&p->tree);
    if (p->problem != NULL)
        elm_problem_free(p->problem);
    free(p->folder);
    *p = (struct stored_programs){0};
}

enum elm_status stored_program_id(const struct stored_programs *p, const char *word, int64_t *id,
                                  struct elm_error *err)
{
    if (word == NULL || strcmp(word, "best") == 0) {
        if (p->best_id < 0)
            return elm_fail(err, ELM_USAGE, "the run '%s' has no program yet", p->folder);
        *id = p->best_id;
        return ELM_OK;
    }
    if (strcmp(word, "seed") == 0) {
        *id = 0;
        return ELM_OK;
    }
    size_t digits = strspn(word, "0123456789");
    if (digits == 0 || digits > 18 || word[digits] != '\0') {
        return elm_fail(err, ELM_USAGE, "'%.80s' is no program: give its number, best or seed",
                        word);
    }
    *id = strtoll(word, NULL, 10);
    return ELM_OK;
}

/* The checked tree of an admitted program, in p->tree. */
static enum elm_status load_tree(struct stored_programs *p, int64_t id, struct elm_error *err)
{
    if (p->tree_id == id)
        return ELM_OK;
    elm_tree_release(&p->tree);
    p->tree = (struct elm_tree){0};
    p->tree_id = -1;
    struct elm_buf text = {0};
    enum elm_status status = elm_store_text(p->store, id, &text, err);
    if (status == ELM_OK)
        status = elm_tree_parse(elm_buf_str(&text), p->problem->names, &p->tree, err);
    elm_buf_release(&text);
    ELM_TRY(status);
    p->tree_id = id;
    return elm_tree_check(&p->tree, p->problem->names, err);
}

static enum elm_status apply(struct stored_programs *p, const struct elm_attempt *a,
                             struct elm_buf *text, struct elm_error *err)
{
    ELM_TRY(load_tree(p, a->parents[0], err));
    struct elm_arena arena = {0};
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t count = 0;
    struct elm_tree child = {0};
    enum elm_status status = elm_edits_decode(a->edit.ptr, a->edit.len, edits, &count, &arena, err);
    if (status == ELM_OK)
        status = elm_tree_edit(&p->tree, edits, count, &child, err);
    if (status == ELM_OK)
        elm_tree_print(&child, p->problem->names, text);
    elm_tree_release(&child);
    elm_arena_release(&arena);
    return status;
}

enum elm_status stored_attempt_text(struct stored_programs *p, const struct elm_attempt *a,
                                    struct elm_buf *text, struct elm_error *err)
{
    if (a->text.len > 0) {
        elm_buf_add_str(text, a->text);
        return ELM_OK;
    }
    bool admitted = a->id == 0 || a->outcome >= ELM_OUTCOME_IMPROVED;
    if (admitted)
        return elm_store_text(p->store, a->id, text, err);
    if (a->flags & ELM_ATTEMPT_TEXT) {
        elm_buf_add_str(text, a->edit);
        return ELM_OK;
    }
    if ((a->flags & ELM_ATTEMPT_REMATCH) || a->edit.len == 0 || p->problem == NULL)
        return ELM_OK;
    return apply(p, a, text, err);
}

struct getting {
    struct stored_programs *p;
    struct stored_program *out;
    enum elm_status status;
    struct elm_error *err;
};

static bool get_attempt(void *ctx, const struct elm_attempt *a)
{
    struct getting *g = ctx;
    g->out->attempt = *a;
    g->out->attempt.edit = g->out->attempt.text = (struct elm_str){0};
    g->status = stored_attempt_text(g->p, a, &g->out->text, g->err);
    return false;
}

enum elm_status stored_program_get(struct stored_programs *p, int64_t id,
                                   struct stored_program *out, struct elm_error *err)
{
    *out = (struct stored_program){.attempt.id = -1};
    struct getting g = {p, out, ELM_OK, err};
    enum elm_status status = elm_store_attempt(p->store, id, get_attempt, &g, err);
    if (status == ELM_NOT_FOUND || (status == ELM_OK && out->attempt.id != id)) {
        status = elm_fail(err, ELM_USAGE, "the run '%s' has no program %lld", p->folder,
                          (long long)id);
    }
    status = status == ELM_OK ? g.status : status;
    /* a rematch is another evaluation of an earlier child */
    int64_t first = out->attempt.parents[0];
    if (status == ELM_OK && out->text.len == 0 && (out->attempt.flags & ELM_ATTEMPT_REMATCH) &&
        first >= 0 && first < id) {
        struct stored_program child;
        status = stored_program_get(p, first, &child, err);
        if (status == ELM_OK)
            out->text = child.text;
    }
    if (status != ELM_OK)
        stored_program_release(out);
    return status;
}

void stored_program_release(struct stored_program *p)
{
    elm_buf_release(&p->text);
}

void stored_measure_name(const struct stored_programs *p, uint32_t i, char out[32])
{
    if (p->problem != NULL && i < p->problem->measure_count)
        snprintf(out, 32, "%s", p->problem->measures[i].name);
    else
        snprintf(out, 32, "measure %u", i + 1);
}
