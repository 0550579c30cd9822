/*
 * evaluator: CPU time of a caged evaluation (tcc, fork, timer, seccomp, copy, judge) against the
 * bare limit, on one core, in turns; of the virtual machine's path; and of a whole search on the
 * tcc path, store included, of which only distinct candidates that compiled, ran and were stored
 * count. Medians.
 */
#include "elm/search.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "static/springs.h"

#define ROUNDS 9
#define PROGRAMS 512
#define CASES 48
#define LONG_CALL 140              /* steps of the one call that the evaluator is measured on */

static const char judge_text[] =
    "#include \"elm/judge.h\"\n"
    "struct in { int n, unused; };\nstruct out { double value; };\n"
    "static int make(void *s, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{ struct in *c = in; (void)s; (void)set; (void)seed;\n"
    "  for (int i = 0; i < max; i++) { c[i].n = max == 1 ? 140 : 1; c[i].unused = 0; }\n"
    "  return max; }\n"
    "static void score(const void *s, int n, const void *in, const void *out,\n"
    "                  const struct elm_cost *cost, struct elm_result *r)\n"
    "{ const struct out *o = out; (void)s; (void)in; (void)cost;\n"
    "  for (int i = 0; i < n; i++) r->pass[i] = o[i].value > 0;\n  r->fitness = o[0].value > 0; }\n"
    "const struct elm_judge elm_judge = { .version = ELM_JUDGE_VERSION, .in_bytes = 8,\n"
    "  .out_bytes = 8, .make = make, .score = score };\n";

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), by_value);
    return values[count / 2];
}

static void stop_if(bool failed, const char *what)
{
    if (!failed)
        return;
    fprintf(stderr, "bench/evaluator: %s\n", what);
    exit(1);
}

static struct elm_evaluator *open_evaluator(struct elm_keeper *keeper, struct elm_problem *p,
                                            const char *folder, uint32_t cases)
{
    struct elm_error err = {0};
    struct elm_evaluator *e;
    char *path;
    static char name[] = "bench";
    *p = (struct elm_problem){.name = name, .folder = elm_strdup(folder), .fuel = 1000000,
                              .cpu_ms = 200, .memory_mb = 64, .names = elm_names_new(),
                              .case_count = {cases, cases, cases}};
    strcpy(p->io.entry, "f");
    p->io.returns = ELM_TYPE_DOUBLE;
    p->io.param_count = 1;
    p->io.params[0] = (struct elm_io_param){.name = "n", .type = ELM_TYPE_INT};
    stop_if(elm_io_layout(&p->io, &err) != ELM_OK, err.message);
    stop_if(elm_judge_build(p, folder, &path, &err) != ELM_OK, err.message);
    struct elm_sandbox_report report;
    stop_if(elm_sandbox_probe(keeper, &report, &err) != ELM_OK, err.message);
    struct elm_evaluator_def def = {.keeper = keeper, .problem = p, .judge_path = path,
                                    .level = report.level};
    stop_if(elm_evaluator_open(&def, &e, &err) != ELM_OK, err.message);
    free(path);
    return e;
}

static double cpu_now(struct elm_evaluator *e)
{
    struct timespec t;
    struct elm_evaluator_totals totals;
    elm_evaluator_totals(e, &totals);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3 + (double)totals.cpu_us;
}

static double caged_round(struct elm_evaluator *e, int first)
{
    static char texts[ELM_JOBS_MAX][4096];
    struct elm_job jobs[ELM_JOBS_MAX];
    struct elm_error err = {0};
    double before = cpu_now(e);
    for (int done = 0; done < PROGRAMS; done += ELM_JOBS_MAX) {
        for (int i = 0; i < ELM_JOBS_MAX; i++) {
            snprintf(texts[i], sizeof(texts[i]), springs, first + done + i);
            jobs[i] = (struct elm_job){.text = elm_str(texts[i])};
        }
        stop_if(elm_evaluator_run(e, jobs, ELM_JOBS_MAX, ELM_SET_SCORED, ELM_TIER_FAST, &err) !=
                    ELM_OK, err.message);
        for (int i = 0; i < ELM_JOBS_MAX; i++)
            stop_if(jobs[i].evaluation.status != ELM_EVAL_OK, jobs[i].evaluation.why);
    }
    return (cpu_now(e) - before) / PROGRAMS;
}

/* Returns the bare limit of a program called for CASES steps in all instead of LONG_CALL. */
static double measure_caged(struct elm_keeper *keeper, const char *folder, const char *bare)
{
    struct elm_problem p;
    struct elm_evaluator *e = open_evaluator(keeper, &p, folder, 1);
    int in[2], out[2];
    stop_if(pipe(in) != 0 || pipe(out) != 0, "no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        execl(bare, "bare", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    FILE *answers = fdopen(out[0], "r");
    double ratios[ROUNDS], ours[ROUNDS], theirs[ROUNDS], short_calls[ROUNDS], f, c, r;
    caged_round(e, 0);
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = caged_round(e, (i + 1) * PROGRAMS);
        dprintf(in[1], "%d\n", PROGRAMS);
        stop_if(fscanf(answers, "%lf %lf %lf", &f, &c, &r) != 3, "the bare program died");
        theirs[i] = f + c + r;
        short_calls[i] = f + c + r * CASES / LONG_CALL;
        ratios[i] = theirs[i] / ours[i];
        fprintf(stderr, "caged %.1f us; bare %.1f = fork %.1f + compile %.1f + call %.1f\n",
                ours[i], theirs[i], f, c, r);
    }
    close(in[1]);
    fclose(answers);
    waitpid(pid, NULL, 0);
    printf("evaluator_ratio_to_bare %.3f ratio\n", median(ratios, ROUNDS));
    printf("evaluator_tcc_us %.1f us\n", median(ours, ROUNDS));
    printf("evaluator_bare_us %.1f us\n", median(theirs, ROUNDS));
    elm_evaluator_close(e);
    elm_names_free(p.names);
    free(p.folder);
    return median(short_calls, ROUNDS);
}

/* CPU of this process and of everything below it, in clock ticks' grain. */
static double family_cpu_us(void)
{
    static struct { long pid, parent; double ticks; } all[4096];
    size_t count = 0;
    DIR *proc = opendir("/proc");
    stop_if(proc == NULL, "no /proc");
    for (struct dirent *d; (d = readdir(proc)) != NULL && count < ELM_COUNT(all);) {
        char path[300];
        unsigned long u, k;
        long cu, ck;
        snprintf(path, sizeof(path), "/proc/%s/stat", d->d_name);
        FILE *f = fopen(path, "r");
        if (f == NULL)
            continue;
        if (fscanf(f, "%ld (%*[^)]) %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                   &all[count].pid, &all[count].parent, &u, &k, &cu, &ck) == 6)
            all[count++].ticks = (double)(u + k) + (double)(cu + ck);
        fclose(f);
    }
    closedir(proc);
    double ticks = 0;
    for (size_t i = 0; i < count; i++) {
        long pid = all[i].pid;
        for (size_t k = 0; k < count && pid != getpid() && pid > 1; k++) {
            if (all[k].pid == pid) {
                pid = all[k].parent;
                k = (size_t)-1;
            }
        }
        ticks += pid == getpid() ? all[i].ticks : 0;
    }
    return ticks * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static bool for_a_while(void *ctx, const struct elm_search_stats *stats)
{
    (void)stats;
    return elm_clock_us() < *(const int64_t *)ctx;
}

/* The search evolves the springs themselves, 48 calls of one step and hardly any fitness to gain, so
 * that what evolves costs about what the seed does. CPU limit 2 ms: what loops for ever costs that and the timer's grain. */
static void measure_search(struct elm_keeper *keeper, const char *folder, double bare_us)
{
    static const char yaml[] = "summary: springs\nentry: \"double f(int n)\"\nrunner: tcc\n"
                               "cases: {shown: 48, scored: 48, audit: 48}\narchive: topk\n"
                               "limits: {cpu_ms: 2}\n";
    struct elm_error err = {0};
    struct elm_problem *p;
    struct elm_search *s;
    enum elm_search_end end;
    struct elm_buf path = {0}, text = {0};
    elm_buf_printf(&text, "#include <math.h>\n");
    elm_buf_printf(&text, springs + strlen("double sqrt(double);\nstatic "), 0);
    elm_buf_printf(&path, "%s/seed.c", folder);
    stop_if(elm_file_write(path.ptr, elm_buf_str(&text), &err) != ELM_OK, err.message);
    elm_buf_clear(&path);
    elm_buf_printf(&path, "%s/problem.yaml", folder);
    stop_if(elm_file_write(path.ptr, elm_str(yaml), &err) != ELM_OK, err.message);
    stop_if(elm_problem_load(folder, NULL, &p, &err) != ELM_OK, err.message);
    stop_if(p->seed.count == 0, p->seed_outside);
    elm_buf_clear(&path);
    elm_buf_printf(&path, "%s/run", folder);
    struct elm_search_def def = elm_default_search_def();
    def.keeper = keeper;
    def.problem = p;
    def.folder = path.ptr;
    def.cache_folder = folder;
    def.operators = "tree";
    def.workers = 1;
    def.evaluations = UINT64_MAX;
    stop_if(elm_search_open(&def, &s, &err) != ELM_OK, err.message);
    double from_us = family_cpu_us();
    int64_t until_us = elm_clock_us() + 8000000;
    stop_if(elm_search_run(s, for_a_while, &until_us, &end, &err) != ELM_OK, err.message);
    struct elm_search_stats stats;
    elm_search_stats(s, &stats);
    double each_us = (family_cpu_us() - from_us) / (double)stats.ok;
    printf("search_ratio_to_bare %.3f ratio\n", bare_us / each_us);
    printf("search_tcc_us %.1f us\n", each_us);
    printf("search_share_ok %.3f share\n", (double)stats.ok / (double)stats.evaluations);
    printf("search_share_timeout %.4f share\n",
           (double)stats.by_status[ELM_EVAL_TIMEOUT] / (double)stats.evaluations);
    stop_if(elm_search_close(s, &err) != ELM_OK, err.message);
    elm_problem_free(p);
    elm_buf_release(&path);
    elm_buf_release(&text);
}

static void measure_vm(struct elm_keeper *keeper, const char *folder)
{
    struct elm_problem p;
    struct elm_evaluator *e = open_evaluator(keeper, &p, folder, CASES);
    struct elm_tree trees[ELM_JOBS_MAX];
    struct elm_job jobs[ELM_JOBS_MAX];
    struct elm_error err = {0};
    double each[ROUNDS];
    uint64_t steps = 0;
    for (int i = 0; i < ELM_JOBS_MAX; i++) {
        char text[4096];
        snprintf(text, sizeof(text), "double f(int n)\n{\n    double x = 0.5;\n"
                 "    for (int i = 0; i < 6; i++) {\n        if (i %% 2 == n)\n"
                 "            x = x * 1.5 + %d;\n        else\n            x -= i * 0.25;\n    }\n"
                 "    return x;\n}\n", i);
        stop_if(elm_tree_parse(elm_str(text), p.names, &trees[i], &err) != ELM_OK ||
                    elm_tree_check(&trees[i], p.names, &err) != ELM_OK, err.message);
    }
    for (int round = 0; round < ROUNDS; round++) {
        double before = cpu_now(e);
        for (int k = 0; k < 40; k++) {
            for (int i = 0; i < ELM_JOBS_MAX; i++)
                jobs[i] = (struct elm_job){.tree = &trees[i]};
            stop_if(elm_evaluator_run(e, jobs, ELM_JOBS_MAX, ELM_SET_SCORED, ELM_TIER_FAST, &err) !=
                        ELM_OK, err.message);
        }
        each[round] = (cpu_now(e) - before) / (40 * ELM_JOBS_MAX);
    }
    for (int i = 0; i < ELM_JOBS_MAX; i++) {
        steps += jobs[i].evaluation.steps;
        elm_tree_release(&trees[i]);
    }
    printf("evaluator_vm_us %.1f us\n", median(each, ROUNDS));
    printf("evaluator_vm_steps %.0f steps\n", (double)steps / ELM_JOBS_MAX);
    elm_evaluator_close(e);
    elm_names_free(p.names);
    free(p.folder);
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/elm-bench-XXXXXX";
    struct elm_error err = {0};
    struct elm_keeper *keeper;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
    stop_if(elm_keeper_open(&keeper, &err) != ELM_OK, err.message);
    stop_if(mkdtemp(folder) == NULL, "no temporary folder");
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/judge.c", folder);
    stop_if(elm_file_write(path.ptr, elm_str(judge_text), &err) != ELM_OK, err.message);
    double bare_us = measure_caged(keeper, folder, argc > 1 ? argv[1] : "build/bench-bare");
    measure_vm(keeper, folder);
    measure_search(keeper, folder, bare_us);
    elm_keeper_close(keeper);
    elm_buf_clear(&path);
    elm_buf_printf(&path, "rm -rf '%s'", folder);
    int failed = system(path.ptr);
    elm_buf_release(&path);
    return failed;
}
