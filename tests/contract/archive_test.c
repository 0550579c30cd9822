/* archive: what every registered archive and selector must keep to. */
#include "elm/archive.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct elm_problem problem_of_two_measures(void)
{
    struct elm_problem p = {.measure_count = 2, .niches = 100};
    p.measures[0] = (struct elm_measure){"width", 0, 10, 6, ELM_MEASURE_JUDGE};
    p.measures[1] = (struct elm_measure){"height", -1, 1, 5, ELM_MEASURE_JUDGE};
    return p;
}

static struct elm_evaluation random_evaluation(struct elm_rng *rng)
{
    struct elm_evaluation e = {.status = ELM_EVAL_OK};
    /* few values, so that ties happen */
    e.fitness = elm_rng_below(rng, 50) / 10.0;
    e.measures[0] = elm_rng_unit(rng) * 14 - 2;
    e.measures[1] = elm_rng_unit(rng) * 3 - 1.5;
    return e;
}

/* A child of an elite, from the group that this one was drawn from. */
static struct elm_add_result offer(const struct elm_archive_kind *kind, void *a, int64_t id,
                                   const struct elm_evaluation *e, uint32_t nodes,
                                   struct elm_rng *rng)
{
    struct elm_entrant x = {.id = id, .parent = -1, .nodes = nodes, .evaluation = e};
    uint32_t first = 0, count = kind->count(a);
    if (count > 0) {
        if (kind->group != NULL)
            x.group = kind->group(a, rng, &first, &count);
        assert_in_range(x.group, 0, ELM_GROUPS_MAX - 1);
        assert_true(count > 0 && first + count <= kind->count(a));
        x.parent = kind->at(a, first + elm_rng_below(rng, count))->id;
    }
    return kind->add(a, &x);
}

#define ADDS 2000
/* Places of each id: what a search counts as references. */
struct places {
    int of[ADDS];
};

static struct places count_places(const struct elm_archive_kind *kind, void *a)
{
    struct places p = {0};
    for (uint32_t i = 0; i < kind->count(a); i++)
        p.of[kind->at(a, i)->id]++;
    return p;
}

static void tend(const struct elm_archive_kind *kind, void *a, struct elm_moves *moves)
{
    *moves = (struct elm_moves){0};
    if (kind->tend != NULL)
        kind->tend(a, moves);
}

/* tend: says of every place that was taken or lost, and never loses the best. */
static void tend_is_honest(const struct elm_archive_kind *kind, void *a)
{
    struct places before = count_places(kind, a);
    struct elm_moves m;
    double best = kind->best(a)->fitness;
    tend(kind, a, &m);
    for (uint32_t i = 0; i < m.copied_count; i++)
        before.of[m.copied[i]]++;
    for (uint32_t i = 0; i < m.dropped_count; i++)
        before.of[m.dropped[i]]--;
    struct places after = count_places(kind, a);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_true(kind->best(a)->fitness >= best);
}

struct niche {
    int64_t id;
    double fitness;
    bool filled;
};
#define NICHES 256

static void fill_niches(const struct elm_archive_kind *kind, void *a, struct niche niches[NICHES])
{
    memset(niches, 0, NICHES * sizeof(niches[0]));
    for (uint32_t i = 0; i < kind->count(a); i++) {
        const struct elm_elite *e = kind->at(a, i);
        assert_in_range(e->niche, 0, NICHES - 1);
        assert_false(niches[e->niche].filled);
        niches[e->niche] = (struct niche){e->id, e->fitness, true};
    }
}

/* add: the outcome says what happened, and a niche never gets worse. */
static void add_is_honest(const struct elm_archive_kind *kind, uint64_t seed)
{
    struct elm_problem p = problem_of_two_measures();
    struct elm_rng rng = elm_rng(seed, 0);
    struct niche niches[NICHES] = {0};
    void *a = kind->make(&p, 0);
    assert_int_equal(kind->count(a), 0);
    assert_null(kind->best(a));
    double best = -INFINITY;
    for (int64_t id = 0; id < ADDS; id++) {
        struct elm_evaluation e = random_evaluation(&rng);
        uint32_t before = kind->count(a), nodes = 1 + elm_rng_below(&rng, 40);
        struct elm_add_result r = offer(kind, a, id, &e, nodes, &rng);
        assert_in_range(r.niche, 0, NICHES - 1);
        struct niche *n = &niches[r.niche];
        if (r.outcome == ELM_OUTCOME_NEW) {
            assert_false(n->filled);
            assert_int_equal(kind->count(a), before + 1);
            assert_int_equal(r.evicted, -1);
        } else if (r.outcome == ELM_OUTCOME_IMPROVED) {
            assert_true(n->filled && e.fitness >= n->fitness);
            assert_int_equal(r.evicted, n->id);
            assert_float_equal(r.improvement, e.fitness - n->fitness, 1e-6);
        } else {
            assert_int_equal(r.outcome, ELM_OUTCOME_REJECTED);
            assert_true(n->filled && e.fitness <= n->fitness);
        }
        if (r.outcome != ELM_OUTCOME_REJECTED)
            *n = (struct niche){id, e.fitness, true};
        best = fmax(best, r.outcome != ELM_OUTCOME_REJECTED ? e.fitness : best);
        assert_float_equal(kind->best(a)->fitness, best, 1e-6);
        if (id % 3 == 0) {
            tend_is_honest(kind, a);
            fill_niches(kind, a, niches);
        }
    }
    for (uint32_t i = 0; i < kind->count(a); i++) {
        const struct elm_elite *e = kind->at(a, i);
        assert_int_equal(e->id, niches[e->niche].id);
        assert_float_equal(e->fitness, niches[e->niche].fitness, 1e-6);
    }
    kind->free(a);
}

static void stats_are_a_recount(const struct elm_archive_kind *kind, uint64_t seed)
{
    struct elm_problem p = problem_of_two_measures();
    struct elm_rng rng = elm_rng(seed, 1);
    void *a = kind->make(&p, 1.0);
    for (int64_t id = 0; id < 300; id++) {
        struct elm_evaluation e = random_evaluation(&rng);
        struct elm_moves moves;
        offer(kind, a, id, &e, 5, &rng);
        tend(kind, a, &moves);
    }
    double sum = 0, best = -INFINITY;
    for (uint32_t i = 0; i < kind->count(a); i++) {
        sum += kind->at(a, i)->fitness;
        best = fmax(best, kind->at(a, i)->fitness);
    }
    struct elm_archive_stats s;
    kind->stats(a, &s);
    assert_int_equal(s.elites, kind->count(a));
    assert_float_equal(s.best, best, 1e-6);
    assert_float_equal(s.mean, sum / s.elites, 1e-3);
    assert_float_equal(s.qd_score, sum - s.elites * 1.0, 1e-3);
    assert_float_equal(s.coverage, (double)s.elites / s.niches, 1e-6);
    kind->free(a);
}

/* The same children to both: what one does the other does. */
static void behave_the_same(const struct elm_archive_kind *kind, void *a, void *b,
                            struct elm_rng rng)
{
    struct elm_rng other = rng;
    for (int64_t id = 200; id < 1200; id++) {
        struct elm_evaluation e = random_evaluation(&rng), f = random_evaluation(&other);
        struct elm_add_result x = offer(kind, a, id, &e, 4, &rng),
                              y = offer(kind, b, id, &f, 4, &other);
        assert_int_equal(x.outcome, y.outcome);
        assert_int_equal(x.niche, y.niche);
        assert_int_equal(x.evicted, y.evicted);
        struct elm_moves m, n;
        tend(kind, a, &m);
        tend(kind, b, &n);
        assert_int_equal(m.copied_count, n.copied_count);
        assert_int_equal(m.dropped_count, n.dropped_count);
    }
    assert_true(kind->hash(a) == kind->hash(b));
}

/* save and load: the same archive, which then behaves the same. */
static void survives_a_snapshot(const struct elm_archive_kind *kind, uint64_t seed)
{
    struct elm_problem p = problem_of_two_measures();
    struct elm_rng rng = elm_rng(seed, 2);
    void *a = kind->make(&p, 0), *b = kind->make(&p, 0), *c = kind->make(&p, 0);
    for (int64_t id = 0; id < 200; id++) {
        struct elm_evaluation e = random_evaluation(&rng);
        struct elm_moves moves;
        offer(kind, a, id, &e, 5, &rng);
        tend(kind, a, &moves);
    }
    kind->at(a, 0)->wins = 7;
    struct elm_buf saved = {0};
    kind->save(a, &saved);
    struct elm_reader r = elm_reader(saved.ptr, saved.len);
    assert_int_equal(kind->load(b, &r, NULL), ELM_OK);
    assert_true(r.at == r.end);
    assert_true(kind->hash(a) == kind->hash(b));
    /* how often an elite was asked decides nothing */
    for (uint32_t i = 0; i < kind->count(a); i++)
        kind->at(a, i)->asked += i * 7 % 5;
    assert_true(kind->hash(a) == kind->hash(b));
    behave_the_same(kind, a, b, rng);
    /* any cut is refused, never read past its end; the whole is good after it */
    for (size_t len = 0; len < saved.len; len++) {
        struct elm_buf cut = {0};
        elm_buf_add(&cut, saved.ptr, len);
        r = elm_reader(cut.ptr, cut.len);
        assert_int_not_equal(kind->load(c, &r, NULL), ELM_OK);
        elm_buf_release(&cut);
    }
    r = elm_reader(saved.ptr, saved.len);
    assert_int_equal(kind->load(c, &r, NULL), ELM_OK);
    r = elm_reader(saved.ptr, saved.len);
    assert_int_equal(kind->load(b, &r, NULL), ELM_OK);
    assert_true(kind->hash(b) == kind->hash(c));
    elm_buf_release(&saved);
    kind->free(a);
    kind->free(b);
    kind->free(c);
}

/* beat: the winner takes the beaten one's place, or is told whom to meet. */
static void beating_replaces(const struct elm_archive_kind *kind)
{
    if (kind->beat == NULL)
        return;
    struct elm_problem p = {0};
    void *a = kind->make(&p, 0);
    struct elm_evaluation e = {.status = ELM_EVAL_OK};
    struct elm_entrant x = {.parent = -1, .nodes = 5, .evaluation = &e};
    kind->add(a, &x);
    e.fitness = 1;
    x.parent = 0;
    struct elm_add_result r;
    do {
        x.id++;
        r = kind->beat(a, &x, 0);
    } while (r.outcome == ELM_OUTCOME_NEW);
    assert_int_equal(r.outcome, ELM_OUTCOME_IMPROVED);
    assert_int_equal(r.evicted, 0);
    x.id++;
    r = kind->beat(a, &x, 0);
    assert_int_equal(r.outcome, ELM_OUTCOME_NONE);
    assert_int_not_equal(r.evicted, 0);
    r = kind->beat(a, &x, r.evicted);
    assert_int_equal(r.outcome, ELM_OUTCOME_IMPROVED);
    kind->free(a);
}

static void every_archive(void **state)
{
    (void)state;
    assert_non_null(elm_archive_kinds[0]);
    for (size_t i = 0; elm_archive_kinds[i] != NULL; i++) {
        const struct elm_archive_kind *kind = elm_archive_kinds[i];
        print_message("archive %s\n", kind->name);
        assert_ptr_equal(elm_archive_find(kind->name), kind);
        assert_true(strlen(kind->summary) > 10);
        for (uint64_t seed = 0; seed < 5; seed++) {
            add_is_honest(kind, seed);
            stats_are_a_recount(kind, seed);
            survives_a_snapshot(kind, seed);
        }
        beating_replaces(kind);
    }
    assert_null(elm_archive_find("no-such-archive"));
}

/* Any range of an archive, with cases or without; the same answer twice. */
static void chooses_inside_a_range(const struct elm_selector_kind *selector,
                                   const struct elm_archive_kind *kind, void *a)
{
    struct elm_rng rng = elm_rng(8, 8);
    uint64_t pass[5];
    uint32_t all = kind->count(a);
    assert_in_range(all, 8, 63);
    const struct elm_case_table table = {.cases = ELM_COUNT(pass), .words = 1, .pass = pass};
    for (uint64_t n = 0; n < 3000; n++) {
        struct elm_selection from = {.kind = kind, .archive = a, .first = elm_rng_below(&rng, all),
                                     .cases = n % 2 == 0 ? &table : NULL};
        from.count = 1 + elm_rng_below(&rng, all - from.first);
        for (size_t c = 0; c < ELM_COUNT(pass); c++)
            pass[c] = elm_rng_u64(&rng) & elm_rng_u64(&rng) & ((1ull << all) - 1);
        struct elm_rng x = elm_rng(5, n), y = x;
        uint32_t two[2], again[2];
        selector->select(&from, &x, 2, two);
        selector->select(&from, &y, 2, again);
        assert_memory_equal(two, again, sizeof(two));
        for (int i = 0; i < 2; i++)
            assert_in_range(two[i], from.first, from.first + from.count - 1);
        assert_true((two[0] != two[1]) == (from.count > 1));
    }
}

static void every_selector(void **state)
{
    (void)state;
    struct elm_problem p = problem_of_two_measures();
    const struct elm_archive_kind *kind = elm_archive_find("grid");
    for (size_t i = 0; elm_selector_kinds[i] != NULL; i++) {
        const struct elm_selector_kind *selector = elm_selector_kinds[i];
        print_message("selector %s\n", selector->name);
        struct elm_rng fill = elm_rng(3, 3);
        void *a = kind->make(&p, 0);
        uint32_t hits[64] = {0};
        for (int64_t id = 0; id < 200; id++) {
            struct elm_evaluation e = random_evaluation(&fill);
            offer(kind, a, id, &e, 5, &fill);
            struct elm_rng x = elm_rng(9, (uint64_t)id), y = x;
            struct elm_selection from = {.kind = kind, .archive = a, .count = kind->count(a)};
            uint32_t first[2], again[2];
            selector->select(&from, &x, 2, first);
            selector->select(&from, &y, 2, again);
            assert_memory_equal(first, again, sizeof(first));
            assert_true(first[0] < kind->count(a) && first[1] < kind->count(a));
            if (kind->count(a) > 1)
                assert_int_not_equal(first[0], first[1]);
        }
        chooses_inside_a_range(selector, kind, a);
        struct elm_rng draw = elm_rng(4, 4);
        for (int n = 0; n < 5000; n++) {
            struct elm_selection from = {.kind = kind, .archive = a, .count = kind->count(a)};
            uint32_t one;
            selector->select(&from, &draw, 1, &one);
            hits[one]++;
        }
        /* nobody is left out for ever */
        for (uint32_t k = 0; k < kind->count(a); k++)
            assert_true(hits[k] > 0);
        kind->free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_archive),
                                       cmocka_unit_test(every_selector)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
