/* openness: runs made by hand, of which it is known whether they adapt. */
#include "learn/openness.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ELITES 40
#define INTERVAL 256u

/* An archive of programs whose fitness is how many innovations they carry. */
struct made {
    struct elm_openness *o;
    struct elm_rng rng;
    int64_t ids[ELITES];
    uint32_t fitness[ELITES];
    int64_t next;
    uint64_t evaluations;
};

static void begin(struct made *m, uint64_t seed, bool same_places)
{
    struct elm_openness_def def = {.interval = INTERVAL, .shadows = 16, .seed = seed,
                                   .same_places = same_places};
    *m = (struct made){.o = elm_openness_new(&def), .rng = elm_rng(seed, 1000), .next = ELITES};
    for (int64_t i = 0; i < ELITES; i++) {
        m->ids[i] = i;
        struct elm_change c = {ELM_CHANGE_ADDED, (uint64_t)i + 1, i, i - 1, -1, 10, 0};
        elm_openness_tell(m->o, &c);
    }
}

static void birth(struct made *m, uint32_t parent, uint32_t evicted, uint32_t fitness)
{
    struct elm_change c = {ELM_CHANGE_ADDED, m->evaluations, m->next, m->ids[parent],
                           m->ids[evicted], 10, 0};
    elm_openness_tell(m->o, &c);
    m->ids[evicted] = m->next++;
    m->fitness[evicted] = fitness;
}

static uint32_t one_of(struct made *m)
{
    return elm_rng_below(&m->rng, ELITES);
}

static void neutral(struct made *m)
{
    birth(m, one_of(m), one_of(m), 0);
}

/* The better of two has the child, the worse of two makes room. */
static void selected(struct made *m, double innovations)
{
    uint32_t a = one_of(m), b = one_of(m), c = one_of(m), d = one_of(m);
    uint32_t parent = m->fitness[a] >= m->fitness[b] ? a : b;
    uint32_t evicted = m->fitness[c] <= m->fitness[d] ? c : d;
    birth(m, parent, evicted,
          m->fitness[parent] + (elm_rng_chance(&m->rng, innovations) ? 1 : 0));
}

static void batch(struct made *m)
{
    struct elm_change c = {.kind = ELM_CHANGE_BATCH, .evaluations = m->evaluations, .id = -1,
                           .parent = -1, .evicted = -1};
    elm_openness_tell(m->o, &c);
}

enum manner { NEUTRAL, SELECTED, STAGNANT, TIRING };

static struct elm_openness_report run(enum manner manner, uint64_t seed, uint32_t evaluations)
{
    struct made m;
    struct elm_openness_report r;
    begin(&m, seed, false);
    for (uint32_t i = 1; i <= evaluations; i++) {
        double part = (double)i / evaluations;
        m.evaluations = i;
        if (manner == NEUTRAL)
            neutral(&m);
        else if (manner == SELECTED || part < 0.2)
            selected(&m, 0.02);
        else if (manner == TIRING)
            selected(&m, 0.02 * exp(-5 * (part - 0.2)));
        if (i % 32 == 0)
            batch(&m);
    }
    elm_openness_report(m.o, &r);
    assert_int_equal(r.count, evaluations / INTERVAL);
    elm_openness_free(m.o);
    return r;
}

static void stagnation_is_class_1(void **state)
{
    (void)state;
    struct elm_openness_report r = run(STAGNANT, 1, 64 * INTERVAL);
    assert_int_equal(r.class, ELM_OPENNESS_NONE);
    assert_float_equal(r.adopted, 0, 0);
    const struct elm_openness_point *end = &r.points[r.count - 1], *before = end - 1;
    assert_float_equal(end->run.diversity, before->run.diversity, 0);
    assert_true(end->run.activity > before->run.activity);
    assert_float_equal(end->run.change, 0, 0);
    assert_float_equal(end->run.novelty, 0, 0);
    elm_openness_report_release(&r);
}

static void drift_is_its_own_shadow(void **state)
{
    (void)state;
    double sum = 0, adopted = 0, shadow = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct elm_openness_report r = run(NEUTRAL, seed, 64 * INTERVAL);
        assert_int_equal(r.class, ELM_OPENNESS_NONE);
        sum += r.excess;
        adopted += r.adopted;
        shadow += r.shadow_adopted;
        elm_openness_report_release(&r);
    }
    assert_true(shadow > 100);
    assert_true(fabs(sum / 20) < 0.7);
    assert_true(fabs(adopted / shadow - 1) < 0.2);
}

static void ongoing_adoption_is_class_3(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct elm_openness_report r = run(SELECTED, seed, 64 * INTERVAL);
        assert_int_equal(r.class, ELM_OPENNESS_UNBOUNDED);
        assert_true(r.adopted > 1.5 * r.shadow_adopted);
        assert_true(r.exponent > 0.7 && r.exponent < 1.3);
        elm_openness_report_release(&r);
    }
}

static void adoption_that_tires_is_class_2(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct elm_openness_report r = run(TIRING, seed, 64 * INTERVAL);
        assert_int_equal(r.class, ELM_OPENNESS_BOUNDED);
        assert_true(r.exponent < 1);
        elm_openness_report_release(&r);
    }
}

static void tell(struct elm_openness *o, enum elm_change_kind kind, uint64_t evaluations,
                 int64_t id, int64_t parent, int64_t evicted, uint32_t nodes)
{
    struct elm_change c = {kind, evaluations, id, parent, evicted, nodes, 0};
    elm_openness_tell(o, &c);
}

static void tell_in(struct elm_openness *o, enum elm_change_kind kind, uint64_t evaluations,
                    int64_t id, int64_t parent, int64_t evicted, uint32_t group)
{
    struct elm_change c = {kind, evaluations, id, parent, evicted, 10, group};
    elm_openness_tell(o, &c);
}

/* Neutral, but that a group dies out whole and grows again from a single founder. A founder is
 * carried by half of all: drift within groups does that, and its shadows must see it too. */
static void founders_are_no_adaptation(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct made m;
        begin(&m, seed, false);
        int64_t group[ELITES];
        uint32_t count = 0;
        for (m.evaluations = ELITES; m.evaluations < 64 * INTERVAL; m.evaluations++) {
            if (m.evaluations % (6 * INTERVAL) == 0) {
                for (uint32_t i = 0; i < count; i++)
                    tell_in(m.o, ELM_CHANGE_DROPPED, m.evaluations, group[i], -1, -1, 1);
                group[0] = m.ids[one_of(&m)];
                count = 1;
                tell_in(m.o, ELM_CHANGE_COPIED, m.evaluations, group[0], -1, -1, 1);
            } else if (count > 0) {
                int64_t parent = group[elm_rng_below(&m.rng, count)];
                uint32_t at = count < ELITES ? count : elm_rng_below(&m.rng, count);
                int64_t evicted = count < ELITES ? -1 : group[at];
                tell_in(m.o, ELM_CHANGE_ADDED, m.evaluations, m.next, parent, evicted, 1);
                group[at] = m.next++;
                count += count < ELITES;
            }
            neutral(&m);
            if (m.evaluations % 32 == 0)
                tell_in(m.o, ELM_CHANGE_BATCH, m.evaluations, -1, -1, -1, 0);
        }
        uint32_t shadows;
        const struct world *run = openness_run(m.o), *shadow = openness_shadows(m.o, &shadows);
        for (uint32_t i = 0; i < shadows; i++)
            assert_memory_equal(shadow[i].in_group, run->in_group, sizeof(run->in_group));
        assert_int_equal(run->in_group[1], count);
        struct elm_openness_report r;
        elm_openness_report(m.o, &r);
        assert_int_equal(r.class, ELM_OPENNESS_NONE);
        elm_openness_report_release(&r);
        elm_openness_free(m.o);
    }
}

/* Parents are drawn at random, and only eight places ever change hands. */
static struct elm_openness_report few_places_change(uint64_t seed, bool same_places)
{
    struct made m;
    struct elm_openness_report r;
    begin(&m, seed, same_places);
    for (m.evaluations = ELITES; m.evaluations < 64 * INTERVAL; m.evaluations++) {
        birth(&m, one_of(&m), elm_rng_below(&m.rng, 8), 0);
        if (m.evaluations % 32 == 0)
            tell_in(m.o, ELM_CHANGE_BATCH, m.evaluations, -1, -1, -1, 0);
    }
    elm_openness_report(m.o, &r);
    elm_openness_free(m.o);
    return r;
}

/* With deaths at the same places the shadows are as diverse as such a run; with deaths anywhere their
 * lineages die out, which no selection keeps apart in the run. */
static void shadows_die_where_the_run_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct elm_openness_report same = few_places_change(seed, true);
        struct elm_openness_report any = few_places_change(seed, false);
        /* a MODES point, far in */
        const struct elm_openness_point *p = &same.points[59], *q = &any.points[59];
        assert_true(fabs(p->run.ecology - p->shadow.ecology) < 0.3);
        assert_true(fabs(p->run.diversity / p->shadow.diversity - 1) < 0.2);
        assert_true(p->shadow.ecology > q->shadow.ecology + 1);
        assert_int_equal(same.class, ELM_OPENNESS_NONE);
        elm_openness_report_release(&same);
        elm_openness_report_release(&any);
    }
}

/* The seed 0 (8 nodes), its child 1 (12) in a place of its own, then 2 (30), a child of 1, in the
 * place of 0. */
static void counts_are_those_by_hand(void **state)
{
    (void)state;
    struct elm_openness_def def = {.interval = INTERVAL, .shadows = 2, .seed = 1};
    struct elm_openness *o = elm_openness_new(&def);
    struct elm_openness_report r;
    tell(o, ELM_CHANGE_ADDED, 1, 0, -1, -1, 8);
    tell(o, ELM_CHANGE_ADDED, 2, 1, 0, -1, 12);
    for (uint32_t i = 1; i <= 4; i++)
        tell(o, ELM_CHANGE_BATCH, i * INTERVAL, -1, -1, -1, 0);
    tell(o, ELM_CHANGE_ADDED, 5 * INTERVAL, 2, 1, 0, 30);
    for (uint32_t i = 5; i <= 8; i++)
        tell(o, ELM_CHANGE_BATCH, i * INTERVAL, -1, -1, -1, 0);
    tell(o, ELM_CHANGE_BATCH, 8 * INTERVAL + 1, -1, -1, -1, 0);
    elm_openness_report(o, &r);
    assert_int_equal(r.count, 8);
    const struct elm_openness_point *p = r.points;
    assert_int_equal(p[7].evaluations, 8 * INTERVAL);
    assert_int_equal(p[0].elites, 2);
    /* 0 is carried by both, 1 by one */
    assert_float_equal(p[0].run.diversity, 2, 0);
    assert_float_equal(p[0].run.activity, 1.5, 1e-6);
    assert_float_equal(p[3].run.activity, 6, 1e-6);
    assert_float_equal(p[3].run.mean, 3, 1e-6);
    /* 0 and 1 by both, 2 by one */
    assert_float_equal(p[4].run.diversity, 3, 0);
    assert_float_equal(p[4].run.activity, 6 + 2.5, 1e-6);
    assert_float_equal(p[7].run.activity, 6 + 4 * 2.5, 1e-6);
    assert_true(fabs(log2(p[7].run.median / 6)) < 0.07);
    /* of the elites 0 and 1 at the fourth census only 1 has descendants at the eighth */
    assert_true(isnan(p[3].run.change) && isnan(p[6].run.change));
    assert_float_equal(p[7].run.change, 1, 0);
    assert_float_equal(p[7].run.novelty, 1, 0);
    assert_float_equal(p[7].run.ecology, 0, 0);
    assert_float_equal(p[7].complexity, 12, 0);
    assert_int_equal(r.class, ELM_OPENNESS_SHORT);
    elm_openness_report_release(&r);
    for (uint32_t i = 9; i <= 12; i++)
        tell(o, ELM_CHANGE_BATCH, i * INTERVAL + 1, -1, -1, -1, 0);
    elm_openness_report(o, &r);
    /* 1 passed before, 2 is new; each has one of the two places */
    assert_float_equal(r.points[11].run.change, 1, 0);
    assert_float_equal(r.points[11].run.novelty, 1, 0);
    assert_float_equal(r.points[11].run.ecology, 1, 1e-9);
    assert_float_equal(r.points[11].complexity, 30, 0);
    elm_openness_report_release(&r);
    elm_openness_free(o);
}

static void copies_and_strangers(void **state)
{
    (void)state;
    struct elm_openness_def def = {.interval = INTERVAL, .shadows = 2, .seed = 1};
    struct elm_openness *o = elm_openness_new(&def);
    struct elm_openness_report r;
    tell(o, ELM_CHANGE_BATCH, INTERVAL, -1, -1, -1, 0);
    elm_openness_report(o, &r);
    assert_int_equal(r.count, 0);
    assert_int_equal(r.class, ELM_OPENNESS_SHORT);
    elm_openness_report_release(&r);
    tell(o, ELM_CHANGE_ADDED, 1, 5, 77, 78, 8);
    tell(o, ELM_CHANGE_ADDED, 1, 5, -1, -1, 8);
    tell(o, ELM_CHANGE_COPIED, 2, 5, -1, -1, 0);
    tell(o, ELM_CHANGE_COPIED, 2, 99, -1, -1, 0);
    tell(o, ELM_CHANGE_ADDED, 2, 6, 5, 5, 8);
    tell(o, ELM_CHANGE_DROPPED, 2, 6, -1, -1, 0);
    tell(o, ELM_CHANGE_DROPPED, 2, 6, -1, -1, 0);
    tell(o, ELM_CHANGE_DROPPED, 2, 98, -1, -1, 0);
    tell(o, ELM_CHANGE_ADDED, 3, INT64_MIN, -1, -1, 8);
    tell(o, ELM_CHANGE_BATCH, INTERVAL, -1, -1, -1, 0);
    elm_openness_report(o, &r);
    assert_int_equal(r.points[0].elites, 2);
    assert_float_equal(r.points[0].run.diversity, 1, 0);
    /* the last place of all is never lost */
    tell(o, ELM_CHANGE_DROPPED, 4, 5, -1, -1, 0);
    tell(o, ELM_CHANGE_DROPPED, 4, 5, -1, -1, 0);
    tell(o, ELM_CHANGE_BATCH, 2 * INTERVAL, -1, -1, -1, 0);
    elm_openness_report_release(&r);
    elm_openness_report(o, &r);
    assert_int_equal(r.points[1].elites, 1);
    elm_openness_report_release(&r);
    elm_openness_free(o);
}

/* What has no descendants is forgotten: a long run takes no more memory than a short one. */
static void memory_goes_with_what_lives(void **state)
{
    (void)state;
    struct made m;
    begin(&m, 1, false);
    for (uint32_t i = 1; i <= 400 * INTERVAL; i++) {
        m.evaluations = i;
        /* star: every child is of the first elite, which stays */
        birth(&m, 0, 1 + elm_rng_below(&m.rng, ELITES - 1), 0);
        if (i % 32 == 0)
            batch(&m);
    }
    assert_true(openness_run(m.o)->cap <= 1024);
    uint32_t count;
    const struct world *shadows = openness_shadows(m.o, &count);
    assert_int_equal(count, 16);
    /* one fixed ancestor for every ELITES births or so is left */
    assert_true(shadows[0].used < 400 * INTERVAL / 10);
    elm_openness_free(m.o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stagnation_is_class_1),
        cmocka_unit_test(drift_is_its_own_shadow),
        cmocka_unit_test(ongoing_adoption_is_class_3),
        cmocka_unit_test(adoption_that_tires_is_class_2),
        cmocka_unit_test(founders_are_no_adaptation),
        cmocka_unit_test(shadows_die_where_the_run_does),
        cmocka_unit_test(counts_are_those_by_hand),
        cmocka_unit_test(copies_and_strangers),
        cmocka_unit_test(memory_goes_with_what_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
