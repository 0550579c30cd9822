/* islands: who contends where, what migrates, what is renewed, and that nothing but counts decides. */
#include "elm/archive.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ISLANDS 4
#define MIGRATION 32
#define STAGNATION 256

static const struct elm_archive_kind *kind;
static int64_t next_id;

/* The seed of fitness 0, in every island. */
static void *settled(void)
{
    struct elm_problem p = {0};
    struct elm_evaluation e = {.status = ELM_EVAL_OK};
    struct elm_entrant seed = {.parent = -1, .nodes = 5, .evaluation = &e};
    struct elm_moves m;
    void *a = kind->make(&p, 0);
    assert_int_equal(kind->add(a, &seed).outcome, ELM_OUTCOME_NEW);
    assert_int_equal(kind->count(a), 1);
    kind->tend(a, &m);
    assert_int_equal(m.copied_count, ISLANDS - 1);
    assert_int_equal(m.dropped_count, 0);
    assert_int_equal(kind->count(a), ISLANDS);
    next_id = 1;
    return a;
}

static struct elm_add_result child(void *a, uint32_t island, int64_t parent, double fitness)
{
    struct elm_evaluation e = {.status = ELM_EVAL_OK, .fitness = fitness};
    struct elm_entrant x = {.id = next_id++, .parent = parent, .group = island, .nodes = 5,
                            .evaluation = &e};
    return kind->add(a, &x);
}

static void turns(void *a, int count, uint32_t *copied, uint32_t *dropped)
{
    *copied = *dropped = 0;
    for (int i = 0; i < count; i++) {
        struct elm_moves m;
        kind->tend(a, &m);
        *copied += m.copied_count;
        *dropped += m.dropped_count;
    }
}

/* The elites of an island, as a selector gets them. */
static void range_of(void *a, uint32_t island, uint32_t *first, uint32_t *count)
{
    for (uint64_t i = 0; i < 1000; i++) {
        struct elm_rng rng = elm_rng(1, i);
        if (kind->group(a, &rng, first, count) == island)
            return;
    }
    fail_msg("island %u is never drawn", island);
}

static const struct elm_elite *find_in(void *a, uint32_t island, int64_t id)
{
    uint32_t first, count;
    range_of(a, island, &first, &count);
    for (uint32_t i = first; i < first + count; i++) {
        if (kind->at(a, i)->id == id)
            return kind->at(a, i);
    }
    return NULL;
}

static void children_stay_with_their_parents(void **state)
{
    (void)state;
    void *a = settled();
    for (uint32_t i = 0; i < ISLANDS; i++) {
        int64_t id = next_id;
        assert_true(child(a, i, 0, 1 + i).outcome >= ELM_OUTCOME_IMPROVED);
        for (uint32_t k = 0; k < ISLANDS; k++)
            assert_true((find_in(a, k, id) != NULL) == (k == i));
    }
    kind->free(a);
}

static void every_island_is_drawn_as_often(void **state)
{
    (void)state;
    void *a = settled();
    uint32_t drawn[ISLANDS] = {0}, first, count;
    for (int i = 0; i < 5; i++)
        child(a, 2, 0, 1);
    struct elm_rng rng = elm_rng(1, 1);
    for (int i = 0; i < 8000; i++) {
        uint32_t island = kind->group(a, &rng, &first, &count);
        drawn[island]++;
        assert_int_equal(first, island < 3 ? island : island + 5);
        assert_int_equal(count, island == 2 ? 6 : 1);
    }
    for (uint32_t i = 0; i < ISLANDS; i++)
        assert_in_range(drawn[i], 1850, 2150);
    kind->free(a);
}

static void the_best_migrates_round_the_ring(void **state)
{
    (void)state;
    void *a = settled();
    uint32_t copied, dropped;
    int64_t id = next_id;
    child(a, 1, 0, 3);
    struct elm_elite *elite = kind->best(a);
    elite->wins = 6;
    elite->asked = 9;
    turns(a, MIGRATION - 2, &copied, &dropped);
    assert_int_equal(copied, 0);
    static const uint32_t reached[] = {2, 3, 0};
    for (uint32_t i = 0; i < ELM_COUNT(reached); i++) {
        assert_null(find_in(a, reached[i], id));
        turns(a, MIGRATION, &copied, &dropped);
        assert_int_equal(copied, 1);
        const struct elm_elite *copy = find_in(a, reached[i], id);
        assert_non_null(copy);
        assert_int_equal(copy->wins, 6);
        assert_int_equal(copy->asked, 9);
        assert_true(copy->fitness == 3);
    }
    /* it has come home: nothing moves any more */
    turns(a, 2 * MIGRATION, &copied, &dropped);
    assert_int_equal(copied, 0);
    kind->free(a);
}

/* After turn 96 all have the best of island 0. Island 2 has it since turn 64, and is of the worse
 * half; 3 since turn 96. */
static void stagnant_islands_begin_anew(void **state)
{
    (void)state;
    void *a = settled();
    uint32_t copied, dropped, first, count[ISLANDS], now;
    int64_t best = next_id, old = next_id + 2;
    for (uint32_t i = 0; i < ISLANDS; i++)
        child(a, i, 0, 10.0 - 3 * i);
    turns(a, 64 + STAGNATION - 2, &copied, &dropped);
    for (uint32_t i = 0; i < ISLANDS; i++) {
        range_of(a, i, &first, &count[i]);
        assert_non_null(find_in(a, i, best));
    }
    assert_non_null(find_in(a, 2, old));
    /* the last turn before and the first after */
    turns(a, 1, &copied, &dropped);
    assert_int_equal(copied, 1);
    assert_int_equal(dropped, count[2]);
    for (uint32_t i = 0; i < ISLANDS; i++) {
        range_of(a, i, &first, &now);
        assert_int_equal(now, i == 2 ? 1 : count[i]);
    }
    assert_non_null(find_in(a, 2, best));
    /* children that were on their way come late, unless they are better than all that is left */
    assert_int_equal(child(a, 2, old, 7).outcome, ELM_OUTCOME_REJECTED);
    assert_int_equal(child(a, 2, best, 7).outcome, ELM_OUTCOME_NEW);
    assert_int_equal(child(a, 2, next_id - 1, 6).outcome, ELM_OUTCOME_NEW);
    /* 3 follows */
    turns(a, MIGRATION, &copied, &dropped);
    assert_int_equal(copied, 1);
    assert_int_equal(dropped, count[3]);
    range_of(a, 3, &first, &now);
    assert_int_equal(now, 1);
    assert_int_equal(child(a, 2, old, 11).outcome, ELM_OUTCOME_NEW);
    kind->free(a);
}

/* Random children in random islands; the same numbers give the same archive. */
static void run_to(void *a, int64_t from, int64_t to)
{
    for (int64_t id = from; id < to; id++) {
        struct elm_rng rng = elm_rng(7, (uint64_t)id);
        struct elm_moves m;
        uint32_t first, count, island = kind->group(a, &rng, &first, &count);
        next_id = id;
        child(a, island, kind->at(a, first + elm_rng_below(&rng, count))->id,
              elm_rng_below(&rng, 20));
        if (id % 2 == 0)
            kind->tend(a, &m);
    }
}

static void a_saved_one_goes_on_as_the_whole(void **state)
{
    (void)state;
    struct elm_problem p = {0};
    void *whole = settled();
    run_to(whole, 1, 3000);
    for (int64_t cut = 1; cut < 3000; cut += 97) {
        void *a = settled(), *b = kind->make(&p, 0);
        struct elm_buf saved = {0};
        run_to(a, 1, cut);
        kind->save(a, &saved);
        struct elm_reader r = elm_reader(saved.ptr, saved.len);
        assert_int_equal(kind->load(b, &r, NULL), ELM_OK);
        run_to(b, cut, 3000);
        assert_true(kind->hash(b) == kind->hash(whole));
        elm_buf_release(&saved);
        kind->free(a);
        kind->free(b);
    }
    kind->free(whole);
}

int main(void)
{
    kind = elm_archive_find("islands");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_stay_with_their_parents),
        cmocka_unit_test(every_island_is_drawn_as_often),
        cmocka_unit_test(the_best_migrates_round_the_ring),
        cmocka_unit_test(stagnant_islands_begin_anew),
        cmocka_unit_test(a_saved_one_goes_on_as_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
