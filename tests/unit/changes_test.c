/* changes: the gradient of the net is its slope; its file comes back, and a wrong one is refused; training on
 * answers teaches what training on shuffled ones doesn't; and the clues say what a change would do. */
#include "../train_rig.h"

#include "../operator_rig.h"

#include "elm/changes.h"

static const char seed[] = "int f(int a, int b)\n{\n    int s = a - b;\n    if (s > 4) {\n"
                           "        s = s * 2;\n    }\n    return s + 1;\n}\n";
static const char target[] = "int f(int a, int b)\n{\n    int s = a + b;\n    if (s > 4) {\n"
                             "        s = s * 2;\n    }\n    return s + 1;\n}\n";

static void fill(float *clues)
{
    for (uint32_t i = 0; i < ELM_CLUES; i++)
        clues[i] = i % 3 == 0 ? (float)(i % 7) / 5 - 0.4F : 0;
}

static void test_gradient(void **state)
{
    static struct elm_changes m, g;
    float clues[ELM_CLUES], hidden[ELM_CHANGES_HIDDEN];
    (void)state;
    fill(clues);
    elm_changes_random(&m, 3);
    elm_changes_score(&m, clues, hidden);
    elm_changes_backward(&m, clues, hidden, 1, &g);
    float *weights = (float *)&m, *slope = (float *)&g;
    for (size_t i = 0; i < sizeof(m) / sizeof(float); i += 5) {
        const float kept = weights[i], by = 2e-3F;
        weights[i] = kept + by;
        double up = (double)elm_changes_score(&m, clues, NULL);
        weights[i] = kept - by;
        double down = (double)elm_changes_score(&m, clues, NULL);
        weights[i] = kept;
        assert_true(fabs((up - down) / (2 * (double)by) - (double)slope[i]) < 2e-3);
    }
}

static void test_file(void **state)
{
    static struct elm_changes m, again;
    struct train_rig r;
    struct elm_error err = {0};
    (void)state;
    train_rig_open(&r);
    elm_changes_random(&m, 3);
    GIVES(ELM_OK, elm_changes_write(&m, "of a test", r.out, ERR));
    GIVES(ELM_OK, elm_changes_read(r.out, &again, ERR));
    assert_memory_equal(&m, &again, sizeof(m));
    m.bias[2] = NAN;
    GIVES(ELM_OK, elm_changes_write(&m, "of a test", r.out, ERR));
    assert_int_equal(elm_changes_read(r.out, &again, &err), ELM_CORRUPT);
    assert_non_null(strstr(err.message, "'bias'"));
    const char *const data[] = {r.data};
    const struct elm_train_def other = rig_scratch(&r, data);
    rig_learn(&other);
    assert_int_equal(elm_changes_read(r.base, &again, &err), ELM_OUTSIDE);
    assert_non_null(strstr(err.message, "no change model"));
    train_rig_close(&r);
}

static void test_learns(void **state)
{
    struct train_rig r;
    struct elm_train_stats told, shuffled;
    (void)state;
    train_rig_open(&r);
    struct elm_train_def def = {.trainer = "changes", .out = r.out, .rate = 3e-3F, .warmup = 0.05F, .steps = 60,
                                .seed = 1, .threads = 1, .checkpoint_s = 1000};
    told = rig_learn(&def);
    unlink(r.out);
    def.shuffled = true;
    shuffled = rig_learn(&def);
    print_message("nats: told %.2f, shuffled %.2f\n", told.loss, shuffled.loss);
    assert_true(told.loss < shuffled.loss - 0.5);
    train_rig_close(&r);
}

/* Data that is none is named. */
static void test_data(void **state)
{
    struct train_rig r;
    struct elm_train_stats stats;
    struct elm_error err = {0};
    (void)state;
    train_rig_open(&r);
    const char *none[] = {r.folder}, *given[] = {"functions/gcd"};
    struct elm_train_def def = {.trainer = "changes", .out = r.out, .data = none, .data_count = 1, .steps = 2,
                                .seed = 1, .threads = 1, .checkpoint_s = 1000};
    assert_int_equal(elm_train(&def, NULL, NULL, &stats, &err), ELM_PARSE);
    assert_non_null(strstr(err.message, r.folder));
    def.data = given;
    rig_learn(&def);
    train_rig_close(&r);
}

static uint32_t find(const struct elm_tree *t, uint8_t kind)
{
    uint32_t at = 0;
    while (t->nodes[at].kind != kind)
        at++;
    return at;
}

/* The clues of the change of a node's kind. */
static void clues_of(struct elm_clues *c, struct rig *r, uint8_t from, uint8_t to, float *out)
{
    const struct elm_tree *t = r->parent.tree;
    struct elm_point p = {.at = find(t, from), .change = ELM_POINT_KIND, .arg = to};
    struct elm_edit edit = elm_points_edit(t, &p, &r->arena);
    elm_clues_of(c, &p, &edit, out);
}

static void test_clues(void **state)
{
    struct rig r;
    const struct elm_tape *tape;
    struct elm_error err = {0};
    struct elm_tapes *tapes = elm_tapes_new();
    struct elm_clues *c = elm_clues_new();
    float mends[ELM_CLUES], harms[ELM_CLUES], blind[ELM_CLUES];
    const float *effect = mends + ELM_CLUES - ELM_CLUES_OF_EFFECT, *harm = harms + ELM_CLUES - ELM_CLUES_OF_EFFECT;
    (void)state;
    rig_open(&r, seed, target);
    assert_int_equal(elm_tapes_of(tapes, &r.problem, &r.evidence, &r.parent, &tape, &err), ELM_OK);
    elm_clues_begin(c, r.parent.tree, tape);
    clues_of(c, &r, ELM_NODE_SUB, ELM_NODE_ADD, mends);
    clues_of(c, &r, ELM_NODE_MUL, ELM_NODE_DIV, harms);
    /* known; mends many failing cases, harms none */
    assert_true(effect[0] == 1 && effect[2] > 0.25F && effect[3] == 0);
    assert_true(harm[0] == 1 && effect[2] > harm[2]);
    elm_clues_begin(c, r.parent.tree, NULL);
    clues_of(c, &r, ELM_NODE_SUB, ELM_NODE_ADD, blind);
    assert_true(blind[ELM_CLUES - ELM_CLUES_OF_EFFECT] == 0);
    /* what kind of change it is, is the same */
    assert_memory_equal(blind, mends, 32 * sizeof(float));
    elm_clues_free(c);
    elm_tapes_free(tapes);
    rig_close(&r);
}

static void test_mends(void **state)
{
    (void)state;
    int taught = rig_mended("taught", seed, target, 400), point = rig_mended("point", seed, target, 400);
    print_message("of 400 children the target: taught %d, point %d\n", taught, point);
    assert_true(taught > 8 * point && taught > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient), cmocka_unit_test(test_file),  cmocka_unit_test(test_learns),
        cmocka_unit_test(test_data),     cmocka_unit_test(test_clues), cmocka_unit_test(test_mends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
