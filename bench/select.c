/*
 * select: CPU time of one selection by each selector among 1,000 elites, of turning what they pass
 * into the table that lexicase reads (once a batch at most), and of making a cvt archive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/state.h"

#define ELITES 1000
#define DRAWS 20000

static struct elm_problem grid_problem(void)
{
    struct elm_problem p = {.measure_count = 2};
    p.measures[0] = (struct elm_measure){"one", 0, 32, 32, ELM_MEASURE_JUDGE};
    p.measures[1] = (struct elm_measure){"two", 0, 32, 32, ELM_MEASURE_JUDGE};
    return p;
}

/* A search with programs that pass a share of the cases at random, all the same ones if `alike`. */
static void fill(struct elm_search *s, uint32_t cases, bool alike)
{
    static struct elm_problem problem;
    problem = grid_problem();
    *s = (struct elm_search){.archive_kind = elm_archive_find("grid"),
                             .selector_kind = elm_selector_find("lexicase"),
                             .case_count = cases};
    s->archive = s->archive_kind->make(&problem, 0);
    for (uint32_t i = 0; i < ELITES; i++) {
        struct elm_rng rng = elm_rng(1, alike ? 0 : i);
        uint8_t pass[ELM_CASES_MAX];
        for (uint32_t c = 0; c < cases; c++)
            pass[c] = elm_rng_chance(&rng, 0.5);
        struct elm_evaluation e = {.status = ELM_EVAL_OK, .fitness = elm_rng_normal(&rng),
                                   .measures = {i % 32, (double)(i / 32)}};
        struct elm_entrant x = {.id = i, .parent = -1, .nodes = 5, .evaluation = &e};
        s->archive_kind->add(s->archive, &x);
        struct held *h = held_new(&s->held, i, NULL, ELM_STR("text"), NULL, &e);
        passes_set(&h->passes, pass, cases);
    }
}

static void empty(struct elm_search *s)
{
    s->archive_kind->free(s->archive);
    held_release(&s->held);
    free(s->cases.bits);
}

static double select_us(struct elm_search *s, const char *name)
{
    const struct elm_selector_kind *kind = elm_selector_find(name);
    struct elm_selection from = {.kind = s->archive_kind, .archive = s->archive, .count = ELITES,
                                 .cases = cases_of_archive(s)};
    uint32_t one, sum = 0;
    int64_t start = elm_cpu_us();
    for (uint64_t i = 0; i < DRAWS; i++) {
        struct elm_rng rng = elm_rng(2, i);
        kind->select(&from, &rng, 1, &one);
        sum += one;
    }
    ELM_ASSERT(sum > 0);
    return (double)(elm_cpu_us() - start) / DRAWS;
}

static double table_us(struct elm_search *s)
{
    int64_t start = elm_cpu_us();
    for (int i = 0; i < 1000; i++) {
        s->cases.fresh = false;
        cases_of_archive(s);
    }
    return (double)(elm_cpu_us() - start) / 1000;
}

static void cvt(uint32_t measures)
{
    struct elm_problem p = {.measure_count = measures};
    const struct elm_archive_kind *kind = elm_archive_find("cvt");
    for (uint32_t d = 0; d < measures; d++)
        p.measures[d] = (struct elm_measure){"m", 0, 1, 10, ELM_MEASURE_JUDGE};
    int64_t start = elm_cpu_us();
    kind->free(kind->make(&p, 0));
    printf("cvt_make_ms_%u %.1f ms\n", measures, (double)(elm_cpu_us() - start) / 1e3);
}

int main(void)
{
    struct elm_search s;
    static const uint32_t cases[] = {64, ELM_CASES_MAX};
    for (size_t i = 0; i < ELM_COUNT(cases); i++) {
        fill(&s, cases[i], false);
        printf("lexicase_us_%u %.2f us\n", cases[i], select_us(&s, "lexicase"));
        printf("case_table_us_%u %.1f us\n", cases[i], table_us(&s));
        empty(&s);
        /* nothing tells them apart: no selection ends early */
        fill(&s, cases[i], true);
        printf("lexicase_alike_us_%u %.2f us\n", cases[i], select_us(&s, "lexicase"));
        empty(&s);
    }
    fill(&s, 64, false);
    static const char *const others[] = {"uniform", "curiosity", "power"};
    for (size_t i = 0; i < ELM_COUNT(others); i++)
        printf("%s_us %.2f us\n", others[i], select_us(&s, others[i]));
    empty(&s);
    for (uint32_t d = 1; d <= ELM_MEASURES_MAX; d++)
        cvt(d);
    return 0;
}
