/* edits: what of a run becomes a lesson, of which label, how often, and that it is learnt. */
#include "../train_rig.h"

#include "../edits_rig.h"

#include "elm/edits.h"

#include <math.h>

#define ATTEMPTS 300

static struct train_rig rig;
static char run[96];

static struct elm_edits *open_edits(const char *labels, bool shuffled)
{
    const char *const runs[] = {run};
    struct elm_edits_def def = {.runs = runs, .run_count = 1, .labels = labels,
                                .shuffled = shuffled, .seed = 4};
    struct elm_edits *e = NULL;
    GIVES(ELM_OK, elm_edits_open(&def, &e, ERR));
    return e;
}

static void records_say_what_became_of_attempts(void **state)
{
    (void)state;
    struct elm_edits *e = open_edits("good", false);
    uint64_t better = 0, count = elm_edits_count(e);
    assert_in_range(count, ATTEMPTS / 2, ATTEMPTS - ATTEMPTS / 8);
    for (uint64_t i = 0; i < count; i++) {
        struct elm_edits_record r;
        elm_edits_record(e, i, &r);
        assert_true(r.better != ELM_BETTER_UNDECIDED && r.status != ELM_EVAL_SUSPECT);
        assert_true(r.child % 8 != 5 && r.parent < r.child);
        assert_true(r.status != ELM_EVAL_OK ||
                    (r.improvement > 0) == (r.better == ELM_BETTER_YES));
        assert_true(r.status == ELM_EVAL_OK || r.improvement == -INFINITY);
        better += r.better == ELM_BETTER_YES;
    }
    assert_int_equal(elm_edits_items(e, ELM_LABEL_GOOD), better);
    assert_int_equal(elm_edits_items(e, ELM_LABEL_JUMP), 0);
    elm_edits_close(e);
}

/* What all draws of a label have in common. */
static void check_lesson(const struct elm_edits_lesson *l)
{
    const struct elm_nano_exercise *e = &l->exercise;
    struct elm_tree child;
    assert_true(l->coefficient == 1 || l->coefficient == -1);
    assert_true(e->from->count > 0 && e->to->count > 0);
    if (l->edits == NULL)
        return;
    assert_int_equal(elm_tree_edit(e->from, l->edits, l->edit_count, &child, NULL), ELM_OK);
    assert_int_equal(elm_tree_check(&child, e->names, NULL), ELM_OK);
    assert_true(elm_tree_hash(&child) == elm_tree_hash(e->to));
    elm_tree_release(&child);
}

static void draws_are_of_their_label(void **state)
{
    (void)state;
    for (int k = 0; k < ELM_LABELS; k++) {
        enum elm_edit_label label = (enum elm_edit_label)k;
        struct elm_edits *e = open_edits(elm_edit_label_name(label), false);
        struct elm_edits_memory *m = elm_edits_memory_new(), *other = elm_edits_memory_new();
        struct elm_nano_teacher *teacher = elm_nano_teacher_new();
        struct elm_nano_lesson *lesson = elm_nano_lesson_new();
        struct elm_vm_memory *vm = elm_vm_memory_new();
        uint32_t drawn = 0, pushed = 0, taught = 0;
        for (uint64_t i = 0; i < 400; i++) {
            struct elm_rng rng = elm_rng(6, i), same = elm_rng(6, i);
            struct elm_edits_lesson l, again;
            bool made = elm_edits_draw(e, m, &rng, &l);
            assert_int_equal(elm_edits_draw(e, other, &same, &again), made);
            if (!made)
                continue;
            check_lesson(&l);
            assert_int_equal(l.label, label);
            assert_true(elm_tree_text_hash(l.exercise.to) == elm_tree_text_hash(again.exercise.to));
            assert_true(elm_tree_text_hash(l.exercise.from) ==
                        elm_tree_text_hash(again.exercise.from));
            drawn++;
            pushed += l.coefficient < 0;
            taught += elm_nano_teach(teacher, &l.exercise, &rng, vm, lesson);
        }
        assert_in_range(drawn, 200, 400);
        assert_true(taught > (label == ELM_LABEL_JUMP ? drawn / 10 : drawn / 2));
        /* in a group what is pulled weighs what is pushed */
        if (label == ELM_LABEL_BINARY || label == ELM_LABEL_GRADED)
            assert_in_range(pushed, drawn / 5, drawn * 4 / 5);
        else
            assert_int_equal(pushed, 0);
        elm_vm_memory_free(vm);
        elm_nano_lesson_free(lesson);
        elm_nano_teacher_free(teacher);
        elm_edits_memory_free(m);
        elm_edits_memory_free(other);
        elm_edits_close(e);
    }
}

static void shuffling_moves_outcomes_only(void **state)
{
    (void)state;
    struct elm_edits *plain = open_edits("good", false), *mixed = open_edits("good", true);
    uint64_t count = elm_edits_count(plain), moved = 0;
    double sum = 0;
    assert_int_equal(elm_edits_count(mixed), count);
    for (uint64_t i = 0; i < count; i++) {
        struct elm_edits_record a, b;
        elm_edits_record(plain, i, &a);
        elm_edits_record(mixed, i, &b);
        assert_true(a.child == b.child && a.parent == b.parent);
        moved += a.better != b.better;
        sum += (a.better == ELM_BETTER_YES) - (b.better == ELM_BETTER_YES);
    }
    assert_true(moved > count / 10);
    assert_true(sum == 0);
    elm_edits_close(plain);
    elm_edits_close(mixed);
}

static void refuses_what_it_cannot_read(void **state)
{
    (void)state;
    const char *const runs[] = {run}, *const file[] = {rig.data}, *const none[] = {"nowhere"};
    struct elm_edits *e = NULL;
    struct elm_edits_def def = {.runs = runs, .run_count = 1, .labels = "good,best"};
    GIVES(ELM_USAGE, elm_edits_open(&def, &e, ERR));
    def.labels = "good";
    def.runs = file;
    GIVES(ELM_PARSE, elm_edits_open(&def, &e, ERR));
    def.runs = none;
    GIVES(ELM_NOT_FOUND, elm_edits_open(&def, &e, ERR));
    def.run_count = 0;
    GIVES(ELM_NOTHING, elm_edits_open(&def, &e, ERR));
    assert_null(e);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS 2
#else
#define STEPS 40
#endif

static double own_loss(const char *labels, uint64_t steps)
{
    const char *const runs[] = {run};
    struct elm_train_def def = {.trainer = "edits", .data = runs, .data_count = 1, .out = rig.out,
                                .labels = labels, .optimizer = "muon", .rate = 4e-3f, .warmup = 0.1f,
                                .schedule = "constant", .steps = steps, .batch = 32, .width = 32,
                                .layers = 1, .seed = 1, .inversions = 0.25f};
    struct elm_train_stats stats = rig_learn(&def);
    assert_true(isfinite(stats.loss) && stats.rollbacks == 0);
    return stats.extra[0];
}

static void learns_what_was_good(void **state)
{
    (void)state;
    double before = own_loss("good", 1), after = own_loss("good", STEPS);
    double pushed = own_loss("binary,graded", STEPS);
    assert_true(isfinite(pushed));
#if STEPS > 10
    /* of which the first steps are a part */
    assert_true(after < 0.9 * before);
#else
    assert_true(isfinite(before) && isfinite(after));
#endif
}

static int leave(void **state)
{
    (void)state;
    train_rig_close(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_say_what_became_of_attempts),
        cmocka_unit_test(draws_are_of_their_label),
        cmocka_unit_test(shuffling_moves_outcomes_only),
        cmocka_unit_test(refuses_what_it_cannot_read),
        cmocka_unit_test(learns_what_was_good),
    };
    train_rig_open(&rig);
    snprintf(run, sizeof(run), "%s/run", rig.folder);
    edits_rig_run(run, ATTEMPTS);
    return cmocka_run_group_tests_name("edits", tests, NULL, leave);
}
