/* consult: a run that is stopped while a model answers keeps what it has, and asks for the rest. */
#include "search_fakes.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- a backend that gets stuck ---- */
#define SEEN_MAX 4096
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t answered[SEEN_MAX];       /* seeds */
    uint32_t count;
    uint32_t stuck_after;              /* answers; then it waits to be cancelled. 0: never */
    bool stuck, cancelled;
} model = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static enum elm_status model_open(const struct elm_backend_def *def, void **self,
                                  struct elm_error *err)
{
    (void)def, (void)err;
    *self = &model;
    return ELM_OK;
}

static double model_price_us(const void *self, uint32_t tokens)
{
    (void)self;
    return 1 + tokens;
}

static void model_close(void *self)
{
    (void)self;
}

static enum elm_status model_complete(void *self, uint32_t lane, const struct elm_request *requests,
                                      uint32_t count, struct elm_reply *replies,
                                      struct elm_error *err)
{
    (void)self, (void)lane;
    enum elm_status status = ELM_OK;
    pthread_mutex_lock(&model.lock);
    for (uint32_t i = 0; i < count && status == ELM_OK; i++) {
        while (model.stuck_after > 0 && model.count >= model.stuck_after && !model.cancelled) {
            model.stuck = true;
            pthread_cond_wait(&model.changed, &model.lock);
        }
        if (model.cancelled) {
            status = elm_fail(err, ELM_STOPPED, "cancelled");
            continue;
        }
        ELM_ASSERT(model.count < SEEN_MAX);
        for (uint32_t k = 0; k < model.count; k++)
            ELM_ASSERT(model.answered[k] != requests[i].seed);
        model.answered[model.count++] = requests[i].seed;
        replies[i].end = ELM_REPLY_DONE;
        replies[i].prompt_tokens = replies[i].tokens = 10;
        elm_buf_printf(&replies[i].text, "int f(int x, int y)\n{\n    return x * %u + y - %u;\n}\n",
                       (unsigned)(requests[i].seed % 7), (unsigned)(requests[i].seed % 11));
    }
    model.cancelled = false;
    pthread_mutex_unlock(&model.lock);
    return status;
}

static void model_cancel(void *self)
{
    (void)self;
    pthread_mutex_lock(&model.lock);
    model.cancelled = model.stuck;
    model.stuck = false;
    pthread_cond_broadcast(&model.changed);
    pthread_mutex_unlock(&model.lock);
}

static void model_totals(void *self, struct elm_backend_totals *out)
{
    (void)self;
    *out = (struct elm_backend_totals){0};
}

static const struct elm_backend_kind kind = {
    .name = "stubborn", .summary = "gets stuck", .open = model_open, .price_us = model_price_us,
    .close = model_close, .complete = model_complete, .cancel = model_cancel,
    .totals = model_totals,
};
const struct elm_backend_kind *const elm_backend_kinds[] = {&kind, NULL};

const struct elm_backend_kind *elm_backend_find(const char *name)
{
    return strcmp(name, kind.name) == 0 ? &kind : NULL;
}

/* ---- a run ---- */
static char folder[] = "/tmp/elm-consult-test-XXXXXX";
static char seed_text[] = "int f(int x, int y)\n{\n    return x + y;\n}\n";

static struct elm_problem *make_problem(void)
{
    struct elm_problem *p = elm_calloc(1, sizeof(*p));
    struct elm_error err = {0};
    static char name[] = "fake", empty[] = "", command[] = "true";
    p->name = name;
    p->folder = folder;
    p->summary = p->description = p->variant = empty;
    p->judge = ELM_JUDGE_COMMAND;
    p->score_command = command;
    p->names = elm_names_new();
    p->seed_text = elm_strdup(seed_text);
    p->io = (struct elm_io){.entry = "f", .returns = ELM_TYPE_INT, .param_count = 2,
                            .params = {{.name = "x", .type = ELM_TYPE_INT},
                                       {.name = "y", .type = ELM_TYPE_INT}}};
    assert_int_equal(elm_io_layout(&p->io, &err), ELM_OK);
    assert_int_equal(elm_tree_parse(elm_str(seed_text), p->names, &p->seed, &err), ELM_OK);
    assert_int_equal(elm_tree_check(&p->seed, p->names, &err), ELM_OK);
    p->nodes_max = 120;
    p->edit_nodes_max = 24;
    p->target = NAN;
    strcpy(p->archive, "topk");
    strcpy(p->selector, "uniform");
    return p;
}

static bool until_stuck(void *ctx, const struct elm_search_stats *stats)
{
    (void)ctx, (void)stats;
    pthread_mutex_lock(&model.lock);
    bool stuck = model.stuck;
    pthread_mutex_unlock(&model.lock);
    return !stuck;
}

static struct elm_search *begin(struct elm_problem *p, bool resume)
{
    static struct elm_keeper keeper;
    struct elm_search_def def = elm_default_search_def();
    struct elm_error err = {0};
    struct elm_search *s;
    def.keeper = &keeper;
    def.problem = p;
    def.folder = "memory";
    def.resume = resume;
    def.workers = 2;
    def.evaluations = 250;
    def.seed = 5;
    def.backend = "stubborn";
    def.operators = "tree,rewrite";
    def.model_share = 0.5;
    if (elm_search_open(&def, &s, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return s;
}

/* Where it may be stopped once; how it went on: in the same process, or resumed. */
static uint64_t run(uint32_t stuck_after, bool resume)
{
    struct disk disk = {.refuse_after = -1};
    struct elm_error err = {0};
    enum elm_search_end end;
    struct elm_problem *p = make_problem();
    fake_disk = &disk;
    model.count = 0;
    model.stuck_after = stuck_after;
    struct elm_search *s = begin(p, false);
    if (elm_search_run(s, until_stuck, NULL, &end, &err) != ELM_OK)
        fail_msg("%s", err.message);
    assert_int_equal(end, stuck_after > 0 ? ELM_END_STOPPED : ELM_END_BUDGET);
    assert_true(stuck_after == 0 || model.count == stuck_after);
    model.stuck_after = 0;
    if (stuck_after > 0 && resume) {
        assert_int_equal(elm_search_close(s, &err), ELM_OK);
        elm_problem_free(p);
        p = make_problem();
        s = begin(p, true);
    }
    if (stuck_after > 0 && elm_search_run(s, NULL, NULL, &end, &err) != ELM_OK)
        fail_msg("%s", err.message);
    assert_int_equal(end, ELM_END_BUDGET);
    /* each question once, each answer kept */
    assert_int_equal(disk.calls, model.count);
    uint64_t hash = elm_search_hash(s);
    assert_int_equal(elm_search_close(s, &err), ELM_OK);
    elm_problem_free(p);
    disk_clear(&disk);
    return hash;
}

static void answers_outlive_a_stop(void **state)
{
    (void)state;
    uint64_t whole = run(0, false);
    uint32_t all = model.count;
    assert_true(all > 60);
    for (uint32_t cut = 1; cut < all; cut += all / 7) {
        run(cut, false);
        assert_true(run(cut, true) == whole);
        assert_int_equal(model.count, all);
    }
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_outlive_a_stop),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
