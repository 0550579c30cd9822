/* circles MINUTES: the sum of radii after each minute, and circles_10min at the end. */
#include "elm/elm.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct curve {
    int64_t from_us;
    int minute, minutes;
};

static bool tick(void *ctx, const struct elm_search_stats *stats)
{
    struct curve *c = ctx;
    int64_t passed_us = elm_clock_us() - c->from_us;
    if (passed_us >= (c->minute + 1) * 60000000ll) {
        c->minute++;
        printf("circles_at_%dmin %.6f sum_of_radii\n", c->minute, stats->archive.best);
        fflush(stdout);
    }
    return c->minute < c->minutes;
}

int main(int argc, char **argv)
{
    struct elm_error err = {0};
    struct curve c = {.minutes = argc > 1 ? atoi(argv[1]) : 10};
    struct elm_search_def def = elm_default_search_def();
    struct elm_problem *p = NULL;
    struct elm_search *s = NULL;
    enum elm_search_end end;
    struct elm_search_stats stats;
    if (elm_keeper_open(&def.keeper, &err) != ELM_OK ||
        elm_problem_load("circles", "problems", &p, &err) != ELM_OK)
        goto failed;
    def.problem = p;
    def.evaluations = UINT64_MAX;
    if (elm_search_open(&def, &s, &err) != ELM_OK)
        goto failed;
    c.from_us = elm_clock_us();
    if (elm_search_run(s, tick, &c, &end, &err) != ELM_OK)
        goto failed;
    elm_search_stats(s, &stats);
    printf("circles_%dmin %.6f sum_of_radii\n", c.minutes, stats.archive.best);
    printf("circles_seed %.6f sum_of_radii\n", stats.seed_fitness);
    struct elm_buf text = {0};
    if (elm_search_text(s, -1, &text, &err) == ELM_OK)
        fprintf(stderr, "%s", text.ptr);
    elm_buf_release(&text);
    if (elm_search_close(s, &err) != ELM_OK)
        goto failed;
    elm_problem_free(p);
    elm_keeper_close(def.keeper);
    return 0;
failed:
    fprintf(stderr, "circles: %s\n", err.message);
    return 1;
}
