/* edits: run folders read into memory: programs with their trees, attempts with their edits. */
#include "learn/edits.h"

#include "elm/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const names[ELM_LABELS] = {"good", "binary", "graded", "jump", "elites"};

const char *elm_edit_label_name(enum elm_edit_label label)
{
    return names[label];
}

static enum elm_status read_labels(struct elm_edits *e, const char *list, struct elm_error *err)
{
    for (const char *at = list == NULL ? names[ELM_LABEL_GOOD] : list; *at != '\0';) {
        size_t len = strcspn(at, ",");
        int k = 0;
        while (k < ELM_LABELS && (strlen(names[k]) != len || memcmp(names[k], at, len) != 0))
            k++;
        if (k == ELM_LABELS)
            return elm_fail(err, ELM_USAGE, "labels '%.60s': good, binary, graded, jump and elites are "
                            "allowed, with commas", list);
        e->wanted[k] = true;
        at += len + (at[len] == ',');
    }
    return ELM_OK;
}

/* Room for one more: doubled at powers of two. */
static void *grow(void *array, uint32_t count, size_t bytes)
{
    if ((count & (count - 1)) == 0)
        array = elm_realloc(array, (count == 0 ? 1 : 2 * (size_t)count) * bytes);
    return array;
}

struct reading {
    struct elm_edits *e;
    struct edits_run *run;
    enum elm_status status;
    struct elm_error *err;
};

/* Programs are in order of id. */
static uint32_t find_program(const struct edits_run *r, int64_t id)
{
    uint32_t lo = 0, hi = r->program_count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->programs[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->program_count && r->programs[lo].id == id ? lo : EDITS_NONE;
}

/* Where its text is outside core C, it is no program here, nor are its children. */
static uint32_t add_program(struct edits_run *r, const struct elm_attempt *a, uint32_t parent)
{
    struct elm_tree tree = {0};
    struct elm_names *all = r->problem->names;
    if (a->id == 0) {
        tree = elm_tree_copy(&r->problem->seed);
    } else if (elm_tree_parse(a->text, all, &tree, NULL) != ELM_OK) {
        return EDITS_NONE;
    } else if (elm_tree_check(&tree, all, NULL) != ELM_OK) {
        elm_tree_release(&tree);
        return EDITS_NONE;
    }
    r->programs = grow(r->programs, r->program_count, sizeof(r->programs[0]));
    r->programs[r->program_count] = (struct edits_program){.id = a->id, .parent = parent,
                                                           .tree = tree, .fitness = a->fitness};
    return r->program_count++;
}

static bool labelled(const struct elm_attempt *a)
{
    return a->better != ELM_BETTER_UNDECIDED && a->status != ELM_EVAL_DUPLICATE &&
           a->status != ELM_EVAL_NO_CHANGE && a->status != ELM_EVAL_SUSPECT &&
           a->status != ELM_EVAL_FAULT;
}

static void add_attempt(struct elm_edits *e, struct edits_run *r, const struct elm_attempt *a,
                        uint32_t parent, uint32_t program)
{
    bool scored = a->status == ELM_EVAL_OK && isfinite(a->fitness);
    bool edit = (a->flags & ELM_ATTEMPT_TEXT) == 0;
    struct edits_attempt made = {
        .id = a->id, .run = (uint32_t)(r - e->runs), .parent = parent, .program = program,
        .operator_index = a->operator_index, .status = a->status, .outcome = a->outcome,
        .better = a->better, .measure_count = a->measure_count, .fitness = a->fitness,
        .improvement = scored ? a->fitness - r->programs[parent].fitness : -INFINITY,
        .edit_at = r->bytes.len, .edit_len = edit ? (uint32_t)a->edit.len : 0,
    };
    memcpy(made.measures, a->measures, sizeof(made.measures));
    if (edit)
        elm_buf_add_str(&r->bytes, a->edit);
    e->attempts = grow(e->attempts, e->attempt_count, sizeof(e->attempts[0]));
    e->attempts[e->attempt_count++] = made;
    r->attempt_count++;
}

static bool each(void *ctx, const struct elm_attempt *a)
{
    struct reading *g = ctx;
    struct edits_run *r = g->run;
    if ((a->flags & ELM_ATTEMPT_REMATCH) != 0 || g->e->attempt_count > INT32_MAX / 2)
        return true;
    uint32_t parent = EDITS_NONE, program = EDITS_NONE;
    if (a->id > 0) {
        parent = find_program(r, a->parents[0]);
        if (parent == EDITS_NONE)
            return true;
    }
    if (a->id == 0 || a->text.len > 0)
        program = add_program(r, a, parent);
    if (a->id > 0 && labelled(a))
        add_attempt(g->e, r, a, parent, program);
    return true;
}

static bool each_elite(void *ctx, const struct elm_archive_row *row)
{
    struct edits_run *r = ctx;
    uint32_t at = find_program(r, row->program);
    if (at != EDITS_NONE)
        r->programs[at].elite = true;
    return true;
}

/* What the operators of the run saw: of a reference what it gives, of a program without inputs its run. */
static enum elm_status find_evidence(struct edits_run *r, struct elm_error *err)
{
    const struct elm_problem *p = r->problem;
    if (p->by_reference) {
        ELM_TRY(elm_task_open(p, &r->task, err));
        r->has_task = true;
        r->evidence = r->task.evidence;
        return ELM_OK;
    }
    for (uint32_t i = 0; i < p->io.param_count; i++) {
        if (p->io.params[i].in_offset != UINT32_MAX)
            return ELM_OK;
    }
    uint32_t cases = p->case_count[ELM_SET_SHOWN];
    r->zeros = elm_calloc((size_t)cases + 1, p->io.in_bytes + 1);
    r->evidence = (struct elm_evidence){.case_count = cases, .in = r->zeros};
    return ELM_OK;
}

static enum elm_status read_run(struct elm_edits *e, struct edits_run *r, const char *folder,
                                const char *problems_path, struct elm_error *err)
{
    struct stat st;
    struct elm_store *store;
    if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode))
        return elm_fail(err, ELM_PARSE, "'%s' is no run folder", folder);
    ELM_TRY(elm_search_problem(folder, problems_path, &r->problem, err));
    if (r->problem->seed.count == 0)
        return elm_fail(err, ELM_USAGE, "run '%s': the seed of '%s' is outside core C: %s", folder,
                        r->problem->name, r->problem->seed_outside);
    ELM_TRY(find_evidence(r, err));
    ELM_TRY(elm_store_open(folder, ELM_STORE_READ, &store, err));
    struct reading g = {.e = e, .run = r};
    r->first_attempt = e->attempt_count;
    enum elm_status status = elm_store_each(store, 0, each, &g, err);
    if (status == ELM_OK)
        status = elm_store_each_archive(store, each_elite, r, err);
    elm_store_close(store, NULL);
    return status;
}

static enum elm_status open_runs(struct elm_edits *e, const struct elm_edits_def *def,
                                 struct elm_error *err)
{
    ELM_TRY(read_labels(e, def->labels, err));
    e->runs = elm_calloc(def->run_count + 1, sizeof(e->runs[0]));
    for (uint32_t i = 0; i < def->run_count; i++) {
        struct edits_run *r = &e->runs[e->run_count++];
        struct elm_rng rng = elm_rng(def->seed ^ 0x73687566, i);
        ELM_TRY(read_run(e, r, def->runs[i], def->problems_path, err));
        if (def->shuffled)
            edits_shuffle(e, r, &rng);
        edits_label(e, r);
    }
    for (int k = 0; k < ELM_LABELS; k++) {
        if (e->wanted[k] && elm_edits_items(e, (enum elm_edit_label)k) == 0)
            return elm_fail(err, ELM_NOTHING, "label '%s': there is nothing of it in these runs", names[k]);
    }
    return ELM_OK;
}

enum elm_status elm_edits_open(const struct elm_edits_def *def, struct elm_edits **out,
                               struct elm_error *err)
{
    struct elm_edits *e = elm_calloc(1, sizeof(*e));
    enum elm_status status = open_runs(e, def, err);
    if (status == ELM_OK)
        *out = e;
    else
        elm_edits_close(e);
    return status;
}

void elm_edits_close(struct elm_edits *e)
{
    if (e == NULL)
        return;
    for (uint32_t i = 0; i < e->run_count; i++) {
        struct edits_run *r = &e->runs[i];
        for (uint32_t k = 0; k < r->program_count; k++)
            elm_tree_release(&r->programs[k].tree);
        free(r->programs);
        free(r->zeros);
        elm_buf_release(&r->bytes);
        if (r->has_task)
            elm_task_release(&r->task);
        elm_problem_free(r->problem);
    }
    free(e->runs);
    free(e->attempts);
    free(e->items);
    free(e);
}

uint64_t elm_edits_count(const struct elm_edits *e)
{
    return e->attempt_count;
}

void elm_edits_record(const struct elm_edits *e, uint64_t index, struct elm_edits_record *out)
{
    const struct edits_attempt *a = &e->attempts[index];
    *out = (struct elm_edits_record){
        .run = a->run, .operator_index = a->operator_index, .status = a->status,
        .outcome = a->outcome, .better = a->better,
        .parent = e->runs[a->run].programs[a->parent].id, .child = a->id, .fitness = a->fitness,
        .improvement = a->improvement, .measure_count = a->measure_count};
    memcpy(out->measures, a->measures, sizeof(out->measures));
}

uint64_t elm_edits_items(const struct elm_edits *e, enum elm_edit_label label)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < e->run_count; i++)
        count += e->runs[i].item_count[label];
    return count;
}
