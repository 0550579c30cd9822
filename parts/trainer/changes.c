/*
 * changes: trains the change model (elm/changes.h). A lesson is a broken program whose answer is known: of its
 * small changes those are learnt that bring it nearer to the answer. Half of the programs are the generator's,
 * broken as it breaks them; the others are problems with a reference, where data is given. On the way to a
 * lesson some changes are made, right and wrong ones, for a search sees such programs too.
 */
#include "elm/changes.h"
#include "elm/task.h"
#include "elm/trainer.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 16
#define CORRUPTIONS_MAX 4
#define APART 17                 /* tasks: 16 in a row share a target */
#define DATA_SHARE 0.5
#define OPAQUE_SHARE 0.15        /* nothing of the runs is seen */
#define STEPS_MAX 2              /* changes on the way */
#define WRONG_SHARE 0.25         /* of them */
#define NODES_MAX 1024
#define TRIES 20                 /* programs without a change that helps, in a row */

/* A program's nodes in prefix order, as words. */
struct words {
    uint64_t word[NODES_MAX];
    uint32_t count;
};
struct given {
    struct elm_problem *problem;
    struct elm_task task;
};
struct trainer {
    const struct elm_train_def *def;
    struct elm_generator *generator;
    struct given *given;
    uint32_t given_count;
    struct elm_changes model, gradient;
    struct elm_parameter parameters[4];
    uint32_t batch;
    /* of a lesson */
    struct elm_tapes *tapes;
    struct elm_clues *clues;
    struct elm_point_list list;
    struct elm_arena arena;
    uint8_t editable[NODES_MAX / 8 + 1];
    struct words answer, at, child;
    uint64_t programs;           /* seen: an identity for the tapes */
    float *numbers;              /* [count][ELM_CLUES] */
    float *hidden, *scores;
    uint8_t *nearer;
    uint32_t *which;             /* of the list */
    uint32_t count, cap;
};

/* ---- how far a program is from its answer ---- */

static uint64_t word(const struct elm_node *n)
{
    bool literal = n->kind == ELM_NODE_INT || n->kind == ELM_NODE_REAL;
    bool named = n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX || n->kind == ELM_NODE_CALL ||
                 n->kind == ELM_NODE_DECLARE;
    uint64_t what = literal ? (uint64_t)n->i : named ? n->name : 0;
    return elm_hash_mix((uint64_t)n->kind << 16 | n->kids, what);
}

static void read_words(const struct elm_tree *t, struct words *out)
{
    out->count = t->count;
    for (uint32_t i = 0; i < t->count; i++)
        out->word[i] = word(&t->nodes[i]);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Nodes to put in, take out or exchange, in prefix order; most: that many or more (Ukkonen 1985). */
static uint32_t distance(const struct words *a, const struct words *b, uint32_t most)
{
    uint32_t row[NODES_MAX + 2], n = a->count, m = b->count, lead = 0;
    while (lead < n && lead < m && a->word[lead] == b->word[lead])
        lead++;
    for (; n > lead && m > lead && a->word[n - 1] == b->word[m - 1]; n--)
        m--;
    if ((n > m ? n - m : m - n) >= most)
        return most;
    for (uint32_t j = lead; j <= m; j++)
        row[j] = least(j - lead, most);
    for (uint32_t i = lead; i < n; i++) {
        uint32_t from = i > lead + most ? i - most : lead, to = least(m, i + most), corner = row[from];
        row[from] = from == lead ? least(i - lead + 1, most) : most;
        if (to < m)
            row[to + 1] = most;
        for (uint32_t j = from; j < to; j++) {
            uint32_t step = corner + (a->word[i] != b->word[j]);
            corner = row[j + 1];
            row[j + 1] = least(most, least(step, least(corner, row[j]) + 1));
        }
    }
    return row[m];
}

/* ---- a lesson ---- */

static void make_room(struct trainer *s, uint32_t count)
{
    if (count <= s->cap)
        return;
    s->cap = 2 * count;
    s->numbers = elm_realloc(s->numbers, (size_t)s->cap * ELM_CLUES * sizeof(float));
    s->hidden = elm_realloc(s->hidden, (size_t)s->cap * ELM_CHANGES_HIDDEN * sizeof(float));
    s->scores = elm_realloc(s->scores, s->cap * sizeof(float));
    s->nearer = elm_realloc(s->nearer, s->cap);
    s->which = elm_realloc(s->which, s->cap * sizeof(uint32_t));
}

/* The child by a change; false: it is no program. */
static bool change(struct trainer *s, const struct elm_task *t, const struct elm_tree *from, uint32_t i,
                   struct elm_edit *edit, struct elm_tree *out)
{
    elm_arena_clear(&s->arena);
    *edit = elm_points_edit(from, &s->list.points[i], &s->arena);
    if (elm_tree_edit(from, edit, 1, out, NULL) != ELM_OK)
        return false;
    if (out->count <= NODES_MAX && elm_tree_check(out, t->problem.names, NULL) == ELM_OK)
        return true;
    elm_tree_release(out);
    return false;
}

/* Lists the changes of a program, and which of them bring it nearer to the answer; how many do. */
static uint32_t list_changes(struct trainer *s, const struct elm_task *t, const struct elm_tree *from,
                             const struct elm_tape *tape, bool numbers)
{
    struct elm_parent parent = {.tree = from, .editable = s->editable};
    uint32_t far, nearer = 0;
    struct elm_edit edit;
    struct elm_tree child;
    read_words(&t->reference, &s->answer);
    read_words(from, &s->at);
    far = distance(&s->at, &s->answer, NODES_MAX);
    parent.editable_count = elm_tree_editable(from, t->problem.names, s->editable);
    elm_points_list(&parent, true, &s->list);
    make_room(s, s->list.count);
    elm_clues_begin(s->clues, from, tape);
    s->count = 0;
    for (uint32_t i = 0; i < s->list.count; i++) {
        if (!change(s, t, from, i, &edit, &child))
            continue;
        if (numbers)
            elm_clues_of(s->clues, &s->list.points[i], &edit, s->numbers + (size_t)s->count * ELM_CLUES);
        s->which[s->count] = i;
        read_words(&child, &s->child);
        nearer += s->nearer[s->count++] = distance(&s->child, &s->answer, far) < far;
        elm_tree_release(&child);
    }
    return nearer;
}

/* Number k of the listed changes that bring it nearer, or, wrong, of the others. */
static uint32_t pick(const struct trainer *s, bool wrong, uint32_t k)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->nearer[i] != wrong && k-- == 0)
            return i;
    }
    return s->count;
}

/* The broken program, and some changes on; owned by the caller. */
static struct elm_tree walk(struct trainer *s, const struct elm_task *t, struct elm_rng *rng)
{
    struct elm_tree at = elm_tree_copy(&t->problem.seed), child;
    struct elm_edit edit;
    for (uint32_t steps = elm_rng_below(rng, STEPS_MAX + 1); steps > 0; steps--) {
        uint32_t nearer = list_changes(s, t, &at, NULL, false);
        bool wrong = elm_rng_chance(rng, WRONG_SHARE);
        uint32_t of = wrong ? s->count - nearer : nearer;
        if (of == 0 || !change(s, t, &at, s->which[pick(s, wrong, elm_rng_below(rng, of))], &edit, &child))
            break;
        read_words(&child, &s->child);
        if (distance(&s->child, &s->answer, 1) == 0) {
            elm_tree_release(&child);
            break;
        }
        elm_tree_release(&at);
        at = child;
    }
    return at;
}

/* False: nothing to learn of this one. */
static bool make_lesson(struct trainer *s, uint64_t number)
{
    struct elm_rng rng = elm_rng(s->def->seed ^ 0x6368616e67, number);
    bool given = s->given_count > 0 && elm_rng_chance(&rng, DATA_SHARE);
    const struct elm_task *t = given ? &s->given[elm_rng_below(&rng, s->given_count)].task
                                     : elm_generator_task(s->generator, number * APART);
    if (t->problem.seed.count > NODES_MAX || t->reference.count > NODES_MAX)
        return false;
    struct elm_tree from = walk(s, t, &rng);
    struct elm_parent parent = {.id = (int64_t)++s->programs, .tree = &from};
    const struct elm_tape *tape = NULL;
    if (elm_rng_chance(&rng, OPAQUE_SHARE) ||
        elm_tapes_of(s->tapes, &t->problem, &t->evidence, &parent, &tape, NULL) != ELM_OK)
        tape = NULL;
    uint32_t nearer = list_changes(s, t, &from, tape, true);
    elm_tree_release(&from);
    /* a control: as many, but any */
    for (uint32_t i = 0; s->def->shuffled && i + 1 < s->count; i++) {
        uint32_t other = i + elm_rng_below(&rng, s->count - i);
        uint8_t kept = s->nearer[i];
        s->nearer[i] = s->nearer[other];
        s->nearer[other] = kept;
    }
    return nearer > 0 && nearer < s->count;
}

/* Of -log of the chance that one of those that bring it nearer is drawn. Adds to the report. */
static void learn(struct trainer *s, struct elm_batch_report *report)
{
    float most = -INFINITY;
    double sum = 0, good = 0, best = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        s->scores[i] = elm_changes_score(&s->model, s->numbers + (size_t)i * ELM_CLUES,
                                         s->hidden + (size_t)i * ELM_CHANGES_HIDDEN);
        most = fmaxf(most, s->scores[i]);
    }
    for (uint32_t i = 0; i < s->count; i++) {
        s->scores[i] = expf(s->scores[i] - most);
        sum += (double)s->scores[i];
        good += s->nearer[i] ? (double)s->scores[i] : 0;
        best = s->nearer[i] ? fmax(best, (double)s->scores[i]) : best;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        double by = (double)s->scores[i] * (1 / sum - (s->nearer[i] ? 1 / good : 0)) / s->batch;
        elm_changes_backward(&s->model, s->numbers + (size_t)i * ELM_CLUES,
                             s->hidden + (size_t)i * ELM_CHANGES_HIDDEN, (float)by, &s->gradient);
    }
    report->loss -= log(good / sum) / s->batch;
    report->extra[0] += (best == 1) / (double)s->batch;
    report->tokens += s->count;
    report->samples++;
}

static enum elm_status changes_gradient(void *self, uint64_t step, struct elm_batch_report *report,
                                        struct elm_error *err)
{
    struct trainer *s = self;
    uint64_t number = (step - 1) * s->batch * TRIES;
    *report = (struct elm_batch_report){0};
    for (uint32_t i = 0; i < s->batch; i++) {
        uint32_t tries = 0;
        while (tries < TRIES && !make_lesson(s, number + i * TRIES + tries))
            tries++;
        if (tries == TRIES)
            return elm_fail(err, ELM_NOTHING, "of %d programs in a row no small change leads nearer to the "
                            "answer", TRIES);
        learn(s, report);
    }
    return ELM_OK;
}

/* ---- the data ---- */

static enum elm_status add_given(struct trainer *s, const char *load, struct elm_error *err)
{
    struct elm_problem *p;
    struct given *g;
    ELM_TRY(elm_problem_load(load, NULL, &p, err));
    if ((s->given_count & (s->given_count - 1)) == 0)
        s->given = elm_realloc(s->given, (s->given_count > 0 ? 2 * s->given_count : 1) * sizeof(*s->given));
    g = &s->given[s->given_count];
    enum elm_status status = elm_task_open(p, &g->task, err);
    if (status != ELM_OK) {
        elm_problem_free(p);
        return status;
    }
    g->problem = p;
    s->given_count++;
    return ELM_OK;
}

/* A problem's folder, all its variants. */
static enum elm_status add_problem(struct trainer *s, const char *folder, struct elm_error *err)
{
    struct elm_problem *p;
    ELM_TRY(elm_problem_load(folder, NULL, &p, err));
    enum elm_status status = p->variant_count > 0 ? ELM_OK : add_given(s, folder, err);
    for (uint32_t i = 0; status == ELM_OK && i < p->variant_count; i++) {
        struct elm_buf load = {0};
        elm_buf_printf(&load, "%s:%s", folder, p->variants[i]);
        status = add_given(s, load.ptr, err);
        elm_buf_release(&load);
    }
    elm_problem_free(p);
    return status;
}

static bool holds_problem(const char *folder)
{
    struct elm_buf file = {0};
    elm_buf_printf(&file, "%s/problem.yaml", folder);
    bool holds = access(file.ptr, F_OK) == 0;
    elm_buf_release(&file);
    return holds;
}

/* A problem, or a folder of them. */
static enum elm_status add_data(struct trainer *s, const char *folder, struct elm_error *err)
{
    struct dirent **entries = NULL;
    int count = holds_problem(folder) ? 0 : scandir(folder, &entries, NULL, alphasort);
    uint32_t before = s->given_count;
    struct elm_buf path = {0};
    enum elm_status status = ELM_OK;
    /* a path needs a slash */
    const char *here = strchr(folder, '/') == NULL ? "./" : "";
    if (count == 0) {
        elm_buf_printf(&path, "%s%s", here, folder);
        status = add_problem(s, path.ptr, err);
    }
    for (int i = 0; i < count; i++) {
        elm_buf_clear(&path);
        elm_buf_printf(&path, "%s%s/%s", here, folder, entries[i]->d_name);
        if (status == ELM_OK && entries[i]->d_name[0] != '.' && holds_problem(path.ptr))
            status = add_problem(s, path.ptr, err);
        free(entries[i]);
    }
    free(entries);
    elm_buf_release(&path);
    if (status == ELM_OK && s->given_count == before)
        status = elm_fail(err, ELM_PARSE, "'%s' holds no problem: changes learns from folders with a problem.yaml "
                          "and a reference.c, or from folders of them", folder);
    return status;
}

/* ---- the trainer ---- */

static void changes_close(void *self)
{
    struct trainer *s = self;
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < s->given_count; i++) {
        elm_task_release(&s->given[i].task);
        elm_problem_free(s->given[i].problem);
    }
    elm_generator_close(s->generator);
    elm_tapes_free(s->tapes);
    elm_clues_free(s->clues);
    elm_arena_release(&s->arena);
    free(s->list.points);
    free(s->given);
    free(s->numbers);
    free(s->hidden);
    free(s->scores);
    free(s->nearer);
    free(s->which);
    free(s);
}

static void name_parameters(struct trainer *s)
{
    struct elm_changes *m = &s->model, *g = &s->gradient;
    s->parameters[0] = (struct elm_parameter){"in", ELM_CLUES, ELM_CHANGES_HIDDEN, true, m->in[0], g->in[0]};
    s->parameters[1] = (struct elm_parameter){"bias", 1, ELM_CHANGES_HIDDEN, false, m->bias, g->bias};
    s->parameters[2] = (struct elm_parameter){"out", 1, ELM_CHANGES_HIDDEN, false, m->out, g->out};
    s->parameters[3] = (struct elm_parameter){"direct", 1, ELM_CLUES, false, m->direct, g->direct};
}

static enum elm_status fill(struct trainer *s, struct elm_error *err)
{
    const struct elm_train_def *def = s->def;
    struct elm_generator_def g = {.stream = ELM_STREAM_TRAIN, .seed = def->seed, .corruptions_min = 1,
                                  .corruptions_max = CORRUPTIONS_MAX, .cases_of_shown_only = true};
    ELM_TRY(elm_generator_open(&g, &s->generator, err));
    if (def->model != NULL)
        ELM_TRY(elm_changes_read(strcmp(def->model, "builtin") == 0 ? NULL : def->model, &s->model, err));
    for (uint32_t i = 0; i < def->data_count; i++)
        ELM_TRY(add_data(s, def->data[i], err));
    return ELM_OK;
}

static enum elm_status changes_open(const struct elm_train_def *def, void **self, struct elm_error *err)
{
    if (def->lora_rank > 0 || def->width > 0 || def->layers > 0)
        return elm_fail(err, ELM_USAGE, "%s: changes has all its weights, of one size",
                        def->lora_rank > 0 ? "lora_rank" : def->width > 0 ? "width" : "layers");
    struct trainer *s = elm_calloc(1, sizeof(*s));
    s->def = def;
    s->batch = def->batch > 0 ? def->batch : BATCH;
    s->tapes = elm_tapes_new();
    s->clues = elm_clues_new();
    name_parameters(s);
    elm_changes_random(&s->model, def->seed);
    enum elm_status status = fill(s, err);
    if (status == ELM_OK)
        *self = s;
    else
        changes_close(s);
    return status;
}

static const struct elm_parameter *changes_parameters(void *self, uint32_t *count)
{
    *count = 4;
    return ((struct trainer *)self)->parameters;
}

static enum elm_status changes_write(void *self, const struct elm_train_stats *stats, const char *path,
                                     struct elm_error *err)
{
    const struct trainer *s = self;
    struct elm_buf text = {0};
    elm_buf_printf(&text, "Change model of elm: which small changes of a C program mend it. Trained on %llu programs, ",
                   (unsigned long long)stats->samples);
    elm_buf_printf(&text, s->given_count == 0 ? "broken on purpose by elm's own generator" :
                   "half of them broken on purpose by elm's own generator, half from %u given ones", s->given_count);
    elm_buf_printf(&text, "; loss %.3f.", stats->loss);
    enum elm_status status = elm_changes_write(&s->model, text.ptr, path, err);
    elm_buf_release(&text);
    return status;
}

const struct elm_trainer_kind elm_trainer_changes = {
    .name = "changes",
    .summary = "the change model, from broken programs whose answer is known",
    .extras = {"first"},
    .open = changes_open,
    .close = changes_close,
    .parameters = changes_parameters,
    .gradient = changes_gradient,
    .write = changes_write,
};
