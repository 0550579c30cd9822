/* compose: programs written whole: what may be written builds, and what runs admitted comes back. */
#include "../grammar_rig.h"
#include "../train_rig.h"

#include "../edits_rig.h"

#include "elm/compose.h"

#define ATTEMPTS 200
#define BYTES_MAX 6000

static const char *const problems[] = {"sodarace:square", "sodarace:cppn-mutable", "parity", "quadratic",
                                       "regression"};

static struct train_rig rig;

static struct elm_problem *load(const char *name)
{
    struct elm_problem *p = NULL;
    GIVES(ELM_OK, elm_problem_load(name, "problems", &p, ERR));
    return p;
}

static struct elm_compose *spot_of(const struct elm_problem *p)
{
    struct elm_compose *c = NULL;
    GIVES(ELM_OK, elm_compose_open(p, &c, ERR));
    return c;
}

static struct elm_tree program_of(const struct elm_problem *p, const struct elm_compose *c,
                                  struct elm_str answer)
{
    struct elm_buf text = {0};
    struct elm_tree t;
    GIVES(ELM_OK, elm_compose_program(c, answer, &text, ERR));
    GIVES(ELM_OK, elm_tree_parse(elm_buf_str(&text), p->names, &t, ERR));
    GIVES(ELM_OK, elm_tree_check(&t, p->names, ERR));
    elm_buf_release(&text);
    return t;
}

static void an_answer_makes_its_program(void **state)
{
    (void)state;
    for (size_t i = 0; i < ELM_COUNT(problems); i++) {
        struct elm_problem *p = load(problems[i]);
        struct elm_compose *c = spot_of(p);
        struct elm_buf answer = {0}, text = {0};
        assert_true(elm_compose_answer(c, &p->seed, 17, &answer));
        struct elm_tree t = program_of(p, c, elm_buf_str(&answer));
        assert_true(elm_tree_hash(&t) == elm_tree_hash(&p->seed));
        elm_tree_release(&t);
        /* cut within a statement it is none */
        GIVES(ELM_PARSE, elm_compose_program(c, (struct elm_str){answer.ptr, 8}, &text, ERR));
        GIVES(ELM_PARSE, elm_compose_program(c, (struct elm_str){answer.ptr, 0}, &text, ERR));
        assert_int_equal(text.len, 0);
        elm_buf_release(&answer);
        elm_compose_close(c);
        elm_problem_free(p);
    }
}

/* A random walk over what the grammar admits; false where it gets too long. */
static bool write_answer(const struct elm_grammar *g, struct elm_rng *rng, struct elm_buf *out)
{
    struct elm_grammar_state s;
    uint8_t bytes[256];
    elm_grammar_start(g, &s);
    elm_buf_clear(out);
    while (!elm_grammar_ended(g, &s) && out->len < BYTES_MAX) {
        uint32_t count = rig_admitted(g, &s, bytes);
        assert_true(count > 0);
        uint8_t byte = bytes[elm_rng_below(rng, count)];
        elm_grammar_step(g, &s, byte);
        elm_buf_byte(out, byte);
    }
    return elm_grammar_ended(g, &s);
}

static void whatever_is_written_builds(void **state)
{
    (void)state;
    const struct elm_operator_kind *op = elm_operator_find("compose");
    for (size_t i = 0; i < ELM_COUNT(problems); i++) {
        struct elm_problem *p = load(problems[i]);
        void *self = op->make(p);
        struct elm_operator_context context = {.problem = p};
        struct elm_rng rng = elm_rng(5, i);
        struct elm_buf answer = {0};
        uint32_t whole = 0, outside = 0;
        assert_true(op->applies(p, NULL, NULL));
        for (int k = 0; k < 40; k++) {
            struct elm_request r = {0};
            struct elm_buf text = {0};
            struct elm_edit edits[ELM_EDITS_MAX];
            struct elm_tree t;
            uint32_t count = 1;
            GIVES(ELM_OK, op->prompt(self, &context, NULL, &rng, &r, ERR));
            assert_true(r.raw && r.system.len == 0);
            assert_non_null(strstr(r.prompt.ptr, p->summary));
            if (write_answer(r.grammar, &rng, &answer)) {
                GIVES(ELM_OK, op->parse(self, &context, NULL, &r, elm_buf_str(&answer), edits, &count,
                                        &text, ERR));
                assert_int_equal(count, 0);
                GIVES(ELM_OK, elm_tree_parse(elm_buf_str(&text), p->names, &t, ERR));
                /* OUTSIDE: C leaves the order of a store and a use open, which no grammar sees */
                enum elm_status checked = elm_tree_check(&t, p->names, NULL);
                assert_true(checked == ELM_OK || checked == ELM_OUTSIDE);
                outside += checked == ELM_OUTSIDE;
                /* what must come is written beyond the limit, and the search then says no */
                assert_in_range(t.count, 1, p->nodes_max + 20);
                elm_tree_release(&t);
                whole++;
            }
            elm_buf_release(&text);
            elm_request_release(&r);
        }
        assert_true(outside < whole);
        elm_buf_release(&answer);
        op->free(self);
        elm_problem_free(p);
    }
}

static void literals_are_shortened(void **state)
{
    (void)state;
    struct elm_problem *p = load("sodarace:radial");
    struct elm_compose *c = spot_of(p);
    struct elm_buf answer = {0};
    struct elm_tree t = elm_tree_copy(&p->seed);
    for (uint32_t i = 0; i < t.count; i++) {
        if (t.nodes[i].kind == ELM_NODE_REAL && t.nodes[i].d == 6.28)
            t.nodes[i].d = 6.283185307;
    }
    assert_true(elm_compose_answer(c, &t, 3, &answer));
    assert_non_null(strstr(answer.ptr, "turn = 6.28 /"));
    elm_buf_clear(&answer);
    assert_true(elm_compose_answer(c, &t, 17, &answer));
    assert_non_null(strstr(answer.ptr, "6.283185307"));
    elm_tree_release(&t);
    elm_buf_release(&answer);
    elm_compose_close(c);
    elm_problem_free(p);
}

/* ---- what runs admitted ---- */

static uint32_t admitted(double share, bool shuffled, struct elm_dataset *d)
{
    *d = (struct elm_dataset){.shuffled = shuffled, .seed = 3};
    const char *runs[] = {rig.run, rig.run};
    GIVES(ELM_OK, elm_dataset_add_admitted(d, runs, 2, share, ERR));
    return d->item_count;
}

static void admitted_programs_come_back(void **state)
{
    (void)state;
    struct elm_problem *p = load("parity");
    struct elm_compose *c = spot_of(p);
    struct elm_dataset d;
    uint32_t all = admitted(1e-6, false, &d);
    assert_in_range(all, 40, 2 * EDITS_RIG_PROGRAMS);
    assert_int_equal(all % 2, 0);
    for (uint32_t i = 0; i < all; i++) {
        assert_true(elm_str_equal(d.items[i].prompt, d.items[0].prompt));
        struct elm_tree t = program_of(p, c, d.answers[i].text);
        assert_true(i > 0 || elm_tree_hash(&t) == elm_tree_hash(&p->seed));
        elm_tree_release(&t);
    }
    elm_dataset_release(&d);
    uint32_t some = admitted(0.98, false, &d);
    assert_in_range(some, 2, all - 2);
    struct elm_dataset other;
    assert_int_equal(admitted(0.98, true, &other), some);
    uint32_t same = 0;
    for (uint32_t i = 0; i < some; i++)
        same += elm_str_equal(d.answers[i].text, other.answers[i].text);
    assert_true(same < some);
    elm_dataset_release(&other);
    elm_dataset_release(&d);
    elm_compose_close(c);
    elm_problem_free(p);
}

static void text_trainers_refuse_what_makes_no_sense(void **state)
{
    (void)state;
    struct elm_train_def def = rig_scratch(&rig, rig.runs);
    struct elm_train_stats stats;
    def.admitted = 1.5f;
    GIVES(ELM_USAGE, elm_train(&def, NULL, NULL, &stats, ERR));
    def.admitted = 0.5f;
    def.trainer = "dpo";
    def.model = rig.base;
    GIVES(ELM_USAGE, elm_train(&def, NULL, NULL, &stats, ERR));
    def.admitted = 0;
    def.labels = "jump";
    GIVES(ELM_USAGE, elm_train(&def, NULL, NULL, &stats, ERR));
}

/* ---- answers by their rank ---- */

static void write_graded_run(const char *folder)
{
    static const double fitness[] = {0, 2, 1, 2, 3, 0};
    struct elm_store *s = NULL;
    GIVES(ELM_OK, elm_store_open(folder, ELM_STORE_CREATE, &s, ERR));
    for (int64_t id = 0; id < 6; id++) {
        bool fails = id == 5;
        struct elm_attempt a = {.id = id, .batch = id, .operator_index = id == 0 ? 255 : 0,
                                .status = fails ? ELM_EVAL_CRASHED : ELM_EVAL_OK,
                                .better = id > 2 && !fails ? ELM_BETTER_YES : ELM_BETTER_NO,
                                .parents = {id == 0 ? -1 : 0, -1}, .fitness = fitness[id],
                                .opponent = -1, .text = id == 0 ? ELM_STR("seed") : (struct elm_str){0}};
        char answer[8];
        snprintf(answer, sizeof(answer), "%d", (int)id);
        struct elm_call call = {.attempt = id, .prompt = ELM_STR("ask"), .answer = elm_str(answer)};
        if (id > 0)
            GIVES(ELM_OK, elm_store_calls(s, &call, 1, ERR));
        GIVES(ELM_OK, elm_store_append(s, &a, 1, ERR));
    }
    GIVES(ELM_OK, elm_store_close(s, ERR));
}

static void rewards_are_ranks(void **state)
{
    (void)state;
    static const double ranks[] = {0.625, 0.25, 0.625, 1, 0}, better[] = {0, 0, 1, 1, 0};
    char folder[128];
    snprintf(folder, sizeof(folder), "%s/graded", rig.folder);
    write_graded_run(folder);
    for (int graded = 0; graded < 2; graded++) {
        struct elm_dataset d = {.graded = graded == 1}, pairs = d;
        GIVES(ELM_OK, elm_dataset_add(&d, ELM_DATA_GROUPS, folder, ERR));
        assert_int_equal(d.item_count, 1);
        assert_int_equal(d.answer_count, 5);
        for (int i = 0; i < 5; i++)
            assert_true(d.answers[i].reward == (graded ? ranks[i] : better[i]));
        GIVES(ELM_OK, elm_dataset_add(&pairs, ELM_DATA_PAIRS, folder, ERR));
        assert_int_equal(pairs.item_count, graded ? 4 : 3);
        for (uint32_t i = 0; i < pairs.item_count; i++) {
            assert_true(!graded || elm_str_equal(pairs.answers[2 * i].text, ELM_STR("4")));
            assert_false(elm_str_equal(pairs.answers[2 * i].text, pairs.answers[2 * i + 1].text));
        }
        elm_dataset_release(&pairs);
        elm_dataset_release(&d);
    }
}

static int open_rig(void **state)
{
    (void)state;
    train_rig_open(&rig);
    edits_rig_run(rig.run, ATTEMPTS);
    rig.runs[0] = rig.run;
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    train_rig_close(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_makes_its_program),
        cmocka_unit_test(whatever_is_written_builds),
        cmocka_unit_test(literals_are_shortened),
        cmocka_unit_test(admitted_programs_come_back),
        cmocka_unit_test(text_trainers_refuse_what_makes_no_sense),
        cmocka_unit_test(rewards_are_ranks),
    };
    return cmocka_run_group_tests(tests, open_rig, close_rig);
}
