/*
 * adam [SECONDS]: rounds and problems/adam.
 *
 *   round_us_vm, round_us_tcc    a round of a judge and a program that do nothing, wall time
 *   adam_full_ms                 CPU of one whole evaluation, of Adam itself
 *   adam_candidates_per_s        of a search of so many seconds on all cores, every candidate counted
 *   adam_candidates_per_cpu_s    the same a second of CPU, of everything
 *   adam_full_share              of the candidates that came past the hurdles
 *   adam_scored                  steps of tuned AdamW over steps taken, of the best that was found
 *   adam_best, _low, _high       the same on held-out trainings from several seeds; 95 % interval
 */
#include "elm/elm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ROUNDS 20000
#define SEEDS 12
#define FULL_STEPS 40000000u       /* VM steps that only a whole evaluation takes */

static struct elm_keeper *keeper;
static char folder[] = "/tmp/elm-bench-XXXXXX";

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "adam: %s\n", err->message);
    exit(1);
}

static void open_keeper(void)
{
    struct elm_error err = {0};
    check(elm_keeper_open(&keeper, &err), &err);
}

static struct elm_evaluator *open_evaluator(const struct elm_problem *p)
{
    struct elm_error err = {0};
    struct elm_sandbox_report report;
    struct elm_evaluator *e;
    char *judge;
    check(elm_sandbox_probe(keeper, &report, &err), &err);
    check(elm_judge_build(p, NULL, &judge, &err), &err);
    struct elm_evaluator_def def = {.keeper = keeper, .problem = p, .judge_path = judge,
                                    .level = report.level};
    check(elm_evaluator_open(&def, &e, &err), &err);
    free(judge);
    return e;
}

static struct elm_evaluation run(struct elm_evaluator *e, struct elm_job job, enum elm_set set)
{
    struct elm_error err = {0};
    check(elm_evaluator_run(e, &job, 1, set, ELM_TIER_FAST, &err), &err);
    if (job.evaluation.status != ELM_EVAL_OK) {
        fprintf(stderr, "adam: %s, %s\n", elm_eval_status_name(job.evaluation.status),
                job.evaluation.why);
        exit(1);
    }
    return job.evaluation;
}

/* ---- a round ---- */

static void put(const char *name, const char *text)
{
    struct elm_error err = {0};
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, name);
    check(elm_file_write(path.ptr, elm_str(text), &err), &err);
    elm_buf_release(&path);
}

static void bench_round(void)
{
    struct elm_error err = {0};
    struct elm_problem *p;
    put("problem.yaml", "summary: nothing\nentry: \"double f(int x, double a[4])\"\n"
                        "io: {a: state}\nrounds: 20000\ncases: {shown: 1, scored: 1, audit: 1}\n"
                        "limits: {cpu_ms: 5000}\n");
    put("judge.c", "#include \"elm/judge.h\"\n"
        "static int make(void *s, enum elm_set set, uint64_t seed, int max, void *in)\n"
        "{ return 1; }\n"
        "static int next(const void *s, void *world, int round, int n, const void *out, void *in,\n"
        "                uint8_t *live) { *(int *)in = round; return 1; }\n"
        "static void score(const void *s, int n, const void *in, const void *out,\n"
        "                  const struct elm_cost *cost, struct elm_result *r)\n"
        "{ r->fitness = cost->rounds; }\n"
        "const struct elm_judge elm_judge = {.version = ELM_JUDGE_VERSION, .in_bytes = 8,\n"
        "    .out_bytes = 8, .make = make, .next = next, .score = score};\n");
    put("seed.c", "double f(int x, double a[4])\n{\n    a[0] += x;\n    return a[0];\n}\n");
    check(elm_problem_load(folder, NULL, &p, &err), &err);
    struct elm_evaluator *e = open_evaluator(p);
    for (int tcc = 0; tcc < 2; tcc++) {
        struct elm_job job = {.tree = tcc ? NULL : &p->seed, .text = elm_str(p->seed_text)};
        int64_t least = INT64_MAX;
        for (int i = 0; i < 5; i++) {
            int64_t from = elm_clock_us();
            if (run(e, job, ELM_SET_SCORED).fitness != ROUNDS)
                abort();
            int64_t passed = elm_clock_us() - from;
            least = passed < least ? passed : least;
        }
        printf("round_us_%s %.1f us\n", tcc ? "tcc" : "vm", (double)least / ROUNDS);
    }
    elm_evaluator_close(e);
    elm_problem_free(p);
}

/* ---- the search ---- */

static struct elm_problem *load_adam(void)
{
    struct elm_error err = {0};
    struct elm_problem *p;
    check(elm_problem_load("adam", "problems", &p, &err), &err);
    return p;
}

static void bench_full(void)
{
    struct elm_problem *p = load_adam();
    struct elm_evaluator *e = open_evaluator(p);
    struct elm_evaluator_totals before, after;
    double least = INFINITY;
    for (int i = 0; i < 3; i++) {
        elm_evaluator_totals(e, &before);
        run(e, (struct elm_job){.tree = &p->seed}, ELM_SET_SCORED);
        elm_evaluator_totals(e, &after);
        least = fmin(least, (double)(after.cpu_us - before.cpu_us) / 1e3);
    }
    printf("adam_full_ms %.0f ms\n", least);
    elm_evaluator_close(e);
    elm_problem_free(p);
}

static bool in_time(void *ctx, const struct elm_search_stats *stats)
{
    (void)stats;
    return elm_clock_us() < *(int64_t *)ctx;
}

static bool count_full(void *ctx, const struct elm_attempt *a)
{
    *(uint64_t *)ctx += a->steps > FULL_STEPS;
    return true;
}

static uint64_t full_of(const char *path)
{
    struct elm_error err = {0};
    struct elm_store *store;
    uint64_t full = 0;
    check(elm_store_open(path, ELM_STORE_READ, &store, &err), &err);
    check(elm_store_each(store, 0, count_full, &full, &err), &err);
    check(elm_store_close(store, &err), &err);
    return full;
}

/* Leaves the best program's text in `best`. */
static void bench_search(int seconds, struct elm_buf *best)
{
    struct elm_error err = {0};
    struct elm_problem *p = load_adam();
    struct elm_search_def def = elm_default_search_def();
    struct elm_search *s;
    struct elm_search_stats stats;
    enum elm_search_end end;
    struct elm_buf path = {0};
    int64_t cpu_us = elm_cpu_us();
    elm_buf_printf(&path, "%s/run", folder);
    open_keeper();
    def.keeper = keeper;
    def.problem = p;
    def.folder = path.ptr;
    def.evaluations = UINT64_MAX;
    check(elm_search_open(&def, &s, &err), &err);
    int64_t from = elm_clock_us(), until = from + (int64_t)seconds * 1000000;
    check(elm_search_run(s, in_time, &until, &end, &err), &err);
    double passed = (double)(elm_clock_us() - from) / 1e6;
    elm_search_stats(s, &stats);
    check(elm_search_text(s, -1, best, &err), &err);
    check(elm_search_close(s, &err), &err);
    elm_keeper_close(keeper);
    double evaluations = (double)stats.evaluations;
    printf("adam_candidates_per_s %.1f 1/s\n", evaluations / passed);
    printf("adam_candidates_per_cpu_s %.1f 1/s\n",
           evaluations / ((double)(elm_cpu_us() - cpu_us) / 1e6));
    printf("adam_full_share %.2f of_candidates\n", (double)full_of(path.ptr) / evaluations);
    printf("adam_scored %.3f ratio\n", stats.archive.best);
    elm_buf_release(&path);
    elm_problem_free(p);
}

/* ---- trainings that no search has seen ---- */

static void bench_held_out(const struct elm_buf *best)
{
    struct elm_error err = {0};
    struct elm_problem *p = load_adam();
    struct elm_tree tree;
    double sum = 0, squares = 0;
    open_keeper();
    check(elm_tree_parse(elm_buf_str(best), p->names, &tree, &err), &err);
    check(elm_tree_check(&tree, p->names, &err), &err);
    for (int i = 0; i < SEEDS; i++) {
        p->case_seed = 1000 + (uint64_t)i;
        struct elm_evaluator *e = open_evaluator(p);
        double ratio = log(run(e, (struct elm_job){.tree = &tree}, ELM_SET_AUDIT).fitness);
        sum += ratio;
        squares += ratio * ratio;
        elm_evaluator_close(e);
    }
    elm_keeper_close(keeper);
    double mean = sum / SEEDS, spread = (squares - SEEDS * mean * mean) / (SEEDS - 1);
    double half = 2.201 * sqrt(fmax(spread, 0) / SEEDS);       /* Student's t of 11 */
    printf("adam_best %.3f ratio\n", exp(mean));
    printf("adam_best_low %.3f ratio\nadam_best_high %.3f ratio\n", exp(mean - half),
           exp(mean + half));
    elm_tree_release(&tree);
    elm_problem_free(p);
}

int main(int argc, char **argv)
{
    int seconds = argc > 1 ? atoi(argv[1]) : 60;
    struct elm_buf best = {0}, command = {0};
    if (mkdtemp(folder) == NULL)
        return 1;
    open_keeper();
    bench_round();
    bench_full();
    elm_keeper_close(keeper);
    fflush(stdout);
    bench_search(seconds, &best);
    fflush(stdout);
    bench_held_out(&best);
    fprintf(stderr, "%s", best.ptr);
    elm_buf_printf(&command, "rm -r '%s'", folder);
    int failed = system(command.ptr);
    elm_buf_release(&command);
    elm_buf_release(&best);
    return failed != 0;
}
