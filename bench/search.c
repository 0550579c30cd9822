/*
 * search: the whole inner loop, store included, on problems of the suite.
 *
 *   vm_candidates_per_s_NAME    distinct candidates evaluated a second of wall time, `tree` only
 *   overhead_us_1e3, _1e6       CPU of everything but the cages a candidate, at 10^3 and 10^6
 *   rss_bytes_per_program       growth of resident memory between 10^4 and 10^6 evaluations
 *   open_million_ms             resume of that run, to its first ask
 * `search quick` leaves the run of 10^6 out.
 */
#include "elm/elm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct elm_keeper *keeper;

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "search: %s\n", err->message);
    exit(1);
}

static struct elm_search *open_run(struct elm_problem *problem, const char *folder, bool resume)
{
    struct elm_error err = {0};
    struct elm_search_def def = elm_default_search_def();
    struct elm_search *s = NULL;
    def.keeper = keeper;
    def.problem = problem;
    def.folder = folder;
    def.resume = resume;
    def.operators = "tree";
    def.evaluations = UINT64_MAX;
    check(elm_search_open(&def, &s, &err), &err);
    return s;
}

struct until {
    uint64_t evaluations;
    int64_t clock_us;          /* 0: no limit */
};

static bool go_on(void *ctx, const struct elm_search_stats *stats)
{
    const struct until *u = ctx;
    return stats->evaluations < u->evaluations &&
           (u->clock_us == 0 || elm_clock_us() < u->clock_us);
}

static struct elm_search_stats run_until(struct elm_search *s, struct until u)
{
    struct elm_error err = {0};
    struct elm_search_stats stats;
    enum elm_search_end end;
    check(elm_search_run(s, go_on, &u, &end, &err), &err);
    elm_search_stats(s, &stats);
    return stats;
}

static int64_t own_cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static double resident_bytes(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld %ld", &pages, &resident) != 2)
        exit(1);
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static struct elm_problem *load(const char *name)
{
    struct elm_error err = {0};
    struct elm_problem *p = NULL;
    check(elm_problem_load(name, "problems", &p, &err), &err);
    return p;
}

static void rate(const char *name, double seconds)
{
    struct elm_error err = {0};
    char folder[] = "/tmp/elm-bench-XXXXXX";
    if (mkdtemp(folder) == NULL)
        exit(1);
    struct elm_problem *p = load(name);
    struct elm_search *s = open_run(p, folder, false);
    int64_t from = elm_clock_us();
    struct elm_search_stats stats =
        run_until(s, (struct until){UINT64_MAX, from + (int64_t)(seconds * 1e6)});
    double wall_s = (double)(elm_clock_us() - from) / 1e6;
    printf("vm_candidates_per_s_%s %.0f candidates/s\n", name,
           (double)stats.evaluations / wall_s);
    printf("vm_share_ok_%s %.3f share\n", name, (double)stats.ok / (double)stats.attempts);
    check(elm_search_close(s, &err), &err);
    elm_problem_free(p);
    check(elm_store_delete(folder, &err), &err);
    rmdir(folder);
}

/* CPU of this process (cages are the keeper's children) a candidate, over the next `count`. */
static double overhead_us(struct elm_search *s, uint64_t count)
{
    struct elm_search_stats before;
    elm_search_stats(s, &before);
    int64_t cpu_us = own_cpu_us();
    struct elm_search_stats after =
        run_until(s, (struct until){before.evaluations + count, 0});
    return (double)(own_cpu_us() - cpu_us) / (double)(after.evaluations - before.evaluations);
}

static void million(const char *name)
{
    struct elm_error err = {0};
    char folder[] = "/tmp/elm-bench-XXXXXX";
    if (mkdtemp(folder) == NULL)
        exit(1);
    struct elm_problem *p = load(name);
    struct elm_search *s = open_run(p, folder, false);
    run_until(s, (struct until){1000, 0});
    printf("overhead_us_1e3 %.1f us\n", overhead_us(s, 9000));
    double rss = resident_bytes();
    struct elm_search_stats stats = run_until(s, (struct until){1000000, 0});
    printf("rss_bytes_per_program %.1f bytes\n",
           (resident_bytes() - rss) / (double)(stats.evaluations - 10000));
    printf("overhead_us_1e6 %.1f us\n", overhead_us(s, 9000));
    check(elm_search_close(s, &err), &err);
    elm_problem_free(p);
    p = load(name);
    int64_t from = elm_clock_us();
    s = open_run(p, folder, true);
    printf("open_million_ms %.0f ms\n", (double)(elm_clock_us() - from) / 1e3);
    check(elm_search_close(s, &err), &err);
    elm_problem_free(p);
    check(elm_store_delete(folder, &err), &err);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    struct elm_error err = {0};
    bool quick = argc > 1 && strcmp(argv[1], "quick") == 0;
    check(elm_keeper_open(&keeper, &err), &err);
    static const char *const names[] = {"sort", "regression", "boolean", "circles"};
    for (size_t i = 0; i < ELM_COUNT(names); i++)
        rate(names[i], quick ? 2 : 10);
    if (!quick)
        million("sort");
    elm_keeper_close(keeper);
    return 0;
}
