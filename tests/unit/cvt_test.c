/* cvt: niches are Voronoi cells of about equal volume, whatever the number of measures. */
#include "elm/archive.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct elm_archive_kind *kind;

static struct elm_problem with_measures(uint32_t count, uint32_t niches)
{
    struct elm_problem p = {.measure_count = count, .niches = niches};
    for (uint32_t d = 0; d < count; d++)
        p.measures[d] = (struct elm_measure){"m", -3, 5, 10, ELM_MEASURE_NODES};
    return p;
}

static void random_measures(struct elm_rng *rng, double *measures)
{
    for (int d = 0; d < ELM_MEASURES_MAX; d++)
        measures[d] = elm_rng_unit(rng) * 8 - 3;
}

/* Where a program with these measures would go. */
static uint32_t niche_of(void *a, const double *measures)
{
    struct elm_evaluation e = {.status = ELM_EVAL_OK};
    struct elm_entrant x = {.parent = -1, .nodes = 5, .evaluation = &e};
    memcpy(e.measures, measures, sizeof(e.measures));
    return kind->add(a, &x).niche;
}

/* Cells of the nearest site are convex: what lies between two points of one is in it. */
static void niches_are_convex(void *a, uint32_t count)
{
    enum { POINTS = 20000 };
    struct elm_rng rng = elm_rng(2, 2);
    static double last[1024][ELM_MEASURES_MAX];
    bool seen[1024] = {false};
    for (int i = 0; i < POINTS; i++) {
        double p[ELM_MEASURES_MAX], middle[ELM_MEASURES_MAX];
        random_measures(&rng, p);
        uint32_t niche = niche_of(a, p);
        assert_in_range(niche, 0, count - 1);
        double t = elm_rng_unit(&rng);
        for (int d = 0; d < ELM_MEASURES_MAX; d++)
            middle[d] = t * p[d] + (1 - t) * last[niche][d];
        if (seen[niche])
            assert_int_equal(niche_of(a, middle), niche);
        seen[niche] = true;
        memcpy(last[niche], p, sizeof(p));
    }
}

static void niches_are_of_about_equal_volume(void *a, uint32_t count)
{
    static uint32_t hits[1024];
    struct elm_rng rng = elm_rng(3, 3);
    double off = 0;
    memset(hits, 0, sizeof(hits));
    for (uint32_t i = 0; i < count * 100; i++) {
        double p[ELM_MEASURES_MAX];
        random_measures(&rng, p);
        hits[niche_of(a, p)]++;
    }
    for (uint32_t i = 0; i < count; i++) {
        assert_in_range(hits[i], 30, 220);
        off += pow(hits[i] / 100.0 - 1, 2);
    }
    /* drawing alone gives 0.1; centroids at random places 0.6 and more */
    assert_true(sqrt(off / count) < 0.25);
}

static void one_to_four_measures(void **state)
{
    (void)state;
    for (uint32_t d = 1; d <= ELM_MEASURES_MAX; d++) {
        for (uint32_t niches = 0; niches <= 60; niches += 60) {
            struct elm_problem p = with_measures(d, niches);
            void *a = kind->make(&p, 0);
            struct elm_archive_stats s;
            uint32_t count = niches == 0 ? 1024 : niches;
            kind->stats(a, &s);
            assert_int_equal(s.niches, count);
            niches_are_convex(a, count);
            niches_are_of_about_equal_volume(a, count);
            assert_int_equal(kind->count(a), count);
            kind->free(a);
        }
    }
}

static void what_lies_beyond_is_at_the_edge(void **state)
{
    (void)state;
    struct elm_problem p = with_measures(2, 0);
    void *a = kind->make(&p, 0);
    struct elm_rng rng = elm_rng(4, 4);
    for (int i = 0; i < 1000; i++) {
        double m[ELM_MEASURES_MAX], edge[ELM_MEASURES_MAX];
        for (int d = 0; d < ELM_MEASURES_MAX; d++) {
            m[d] = elm_rng_normal(&rng) * 1e3;
            edge[d] = fmin(fmax(m[d], -3), 5);
        }
        assert_int_equal(niche_of(a, m), niche_of(a, edge));
    }
    double odd[ELM_MEASURES_MAX] = {NAN, INFINITY}, corner[ELM_MEASURES_MAX] = {-3, 5};
    assert_int_equal(niche_of(a, odd), niche_of(a, corner));
    kind->free(a);
}

/* Numbers of niches mean nothing in another tessellation. */
static void another_tessellation_is_refused(void **state)
{
    (void)state;
    struct elm_problem p = with_measures(2, 60), q = with_measures(2, 61);
    void *a = kind->make(&p, 0), *b = kind->make(&q, 0), *c = kind->make(&p, 0);
    struct elm_buf saved = {0};
    struct elm_error err = {0};
    niche_of(a, (double[ELM_MEASURES_MAX]){0});
    kind->save(a, &saved);
    struct elm_reader r = elm_reader(saved.ptr, saved.len);
    assert_int_equal(kind->load(b, &r, &err), ELM_CORRUPT);
    assert_non_null(strstr(err.message, "tessellation"));
    r = elm_reader(saved.ptr, saved.len);
    assert_int_equal(kind->load(c, &r, NULL), ELM_OK);
    elm_buf_release(&saved);
    kind->free(a);
    kind->free(b);
    kind->free(c);
}

int main(void)
{
    kind = elm_archive_find("cvt");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_to_four_measures),
        cmocka_unit_test(what_lies_beyond_is_at_the_edge),
        cmocka_unit_test(another_tessellation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
