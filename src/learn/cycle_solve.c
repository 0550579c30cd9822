/* cycle_solve: searches with the operator in use, each a stored run, and what they say of hardness. */
#include "learn/cycle.h"
#include "learn/quality.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOO_HARD 0.1             /* shares of searches that solve; between them is what teaches */
#define TOO_EASY 0.9

/* Sums of a round. */
struct sums {
    double evaluations, attempts, ok, asked, better, cpu_s;
    double searches, targeted, solved;       /* targeted: on problems with a target */
    double niched, qd, coverage;             /* niched: with an archive that has niches */
    double of[ELM_CYCLE_CORRUPTIONS_MAX], solved_of[ELM_CYCLE_CORRUPTIONS_MAX];
    uint32_t taught;
    struct elm_buf learn;                    /* names of runs, a line each */
};

/* ---- hardness ---- */
void cycle_hardness(struct elm_cycle *c, uint32_t round)
{
    struct elm_cycle_round *r = &c->rounds[round - 1];
    r->corruptions_min = r->corruptions_max = NAN;
    if (!c->def.generated)
        return;
    r->corruptions_min = c->def.corruptions_min;
    r->corruptions_max = c->def.corruptions_max;
    if (round == 1)
        return;
    const struct elm_cycle_round *before = r - 1;
    double lo = before->corruptions_min, hi = before->corruptions_max;
    double low = before->solved_at[(int)lo - 1], high = before->solved_at[(int)hi - 1];
    if (high > TOO_HARD)
        hi = fmin(hi + 1, ELM_CYCLE_CORRUPTIONS_MAX);
    else
        hi = fmax(hi - 1, 1);
    if (low > TOO_EASY)
        lo++;
    else if (low < TOO_HARD)
        lo--;
    r->corruptions_max = hi;
    r->corruptions_min = fmax(1, fmin(lo, hi));
}

/* ---- a search ---- */
static bool tick(void *ctx, const struct elm_search_stats *stats)
{
    struct elm_cycle *c = ctx;
    struct elm_error err;
    (void)stats;
    return cycle_tick(c, c->progress.done, c->progress.all, &err) == ELM_OK;
}

static bool has_model(const char *operator)
{
    const struct elm_operator_kind *kind = elm_operator_find(operator);
    return kind != NULL && kind->model != NULL;
}

static void add_elite(void *ctx, const struct elm_elite *e)
{
    quality_add(ctx, e->measures, e->fitness);
}

static void read_stats(const struct elm_problem *p, struct elm_search *s, struct cycle_finding *out)
{
    struct elm_search_stats stats;
    elm_search_stats(s, &stats);
    *out = (struct cycle_finding){.evaluations = (double)stats.evaluations,
                                  .attempts = (double)stats.attempts, .ok = (double)stats.ok,
                                  .best = stats.archive.best};
    out->qd = out->coverage = NAN;
    if (quality_applies(p)) {
        struct quality q;
        quality_init(&q, p, stats.seed_fitness);
        elm_search_elites(s, add_elite, &q);
        out->qd = q.sum;
        out->coverage = (double)q.count / q.cells;
        quality_release(&q);
    }
    out->solved = isnan(p->target) ? NAN : stats.archive.best >= p->target;
    for (uint32_t i = 0; i < stats.operator_count; i++) {
        const struct elm_operator_stats *o = &stats.operators[i];
        if (has_model(o->name)) {
            out->asked += (double)o->evaluations;
            out->better += (double)o->better;
        }
    }
    out->cpu_s = (double)elm_search_cpu_us(s) / 1e6;
}

static enum elm_status search(struct elm_cycle *c, const struct elm_problem *p, uint64_t seed,
                              const char *folder, struct cycle_finding *out, struct elm_buf *best,
                              struct elm_error *err)
{
    struct elm_search_def d = elm_default_search_def();
    struct elm_search *s;
    enum elm_search_end end;
    d.keeper = c->def.keeper;
    d.problem = p;
    d.folder = folder;
    d.seed = seed;
    d.operators = c->def.operators;
    d.operator_model = c->current;
    d.evaluations = c->def.evaluations;
    d.target = p->target;
    d.workers = c->def.workers;
    d.level = c->def.level;
    d.unsafe = c->def.unsafe;
    d.cache_folder = c->def.cache_folder;
    d.resume = true;
    enum elm_status status = elm_search_open(&d, &s, err);
    if (status == ELM_NOT_FOUND) {
        d.resume = false;
        status = elm_search_open(&d, &s, err);
    }
    ELM_TRY(status);
    status = elm_search_run(s, tick, c, &end, err);
    if (status == ELM_OK && end == ELM_END_STOPPED)
        status = elm_fail(err, ELM_STOPPED, "stopped");
    if (status == ELM_OK) {
        read_stats(p, s, out);
        status = elm_search_text(s, -1, best, err);
    }
    struct elm_error closing;
    enum elm_status closed = elm_search_close(s, &closing);
    if (status == ELM_OK && closed != ELM_OK) {
        status = closed;
        if (err != NULL)
            *err = closing;
    }
    return status;
}

/* Looks whether it was made before. `name` is the run's. */
static enum elm_status make(struct elm_cycle *c, uint32_t round, const struct elm_problem *p,
                            uint64_t seed, const char *name, struct cycle_finding *out,
                            struct elm_error *err)
{
    struct elm_buf folder = {0}, file = {0}, runs = {0}, text = {0}, best = {0};
    bool there;
    cycle_path(c, round, "runs", &runs);
    elm_buf_printf(&folder, "%s/%s", runs.ptr, name);
    elm_buf_printf(&file, "%s.json", folder.ptr);
    elm_buf_printf(&text, "%s.c", folder.ptr);
    enum elm_status status = cycle_finding_read(file.ptr, out, &there, err);
    if (status == ELM_OK && !there) {
        status = search(c, p, seed, folder.ptr, out, &best, err);
        if (status == ELM_OK)
            status = elm_file_write(text.ptr, elm_buf_str(&best), err);
        if (status == ELM_OK)
            status = cycle_finding_write(file.ptr, out, err);
    }
    elm_buf_release(&folder);
    elm_buf_release(&file);
    elm_buf_release(&runs);
    elm_buf_release(&text);
    elm_buf_release(&best);
    return status;
}

/* ---- a problem ---- */
static void add(struct sums *s, const struct cycle_finding *f, uint32_t corruptions)
{
    s->searches++;
    s->evaluations += f->evaluations;
    s->attempts += f->attempts;
    s->ok += f->ok;
    s->asked += f->asked;
    s->better += f->better;
    s->cpu_s += f->cpu_s;
    if (!isnan(f->qd)) {
        s->niched++;
        s->qd += f->qd;
        s->coverage += f->coverage;
    }
    if (isnan(f->solved))
        return;
    s->targeted++;
    s->solved += f->solved;
    if (corruptions > 0) {
        s->of[corruptions - 1]++;
        s->solved_of[corruptions - 1] += f->solved;
    }
}

/* All searches of a problem. corruptions 0: not a generated one, and always learnt from. */
static enum elm_status solve_one(struct elm_cycle *c, uint32_t round, const struct elm_problem *p,
                                 const char *name, uint32_t corruptions, struct sums *sums,
                                 struct elm_error *err)
{
    struct elm_buf runs = {0}, run = {0};
    double solved = 0;
    enum elm_status status = ELM_OK;
    for (uint32_t s = 0; s < c->def.seeds && status == ELM_OK; s++) {
        struct cycle_finding f;
        elm_buf_clear(&run);
        elm_buf_printf(&run, "%s-%u", name, s + 1);
        elm_buf_printf(&runs, "%s\n", run.ptr);
        status = make(c, round, p, cycle_seed(c, CYCLE_FOR_SOLVE, round) + s, run.ptr, &f, err);
        if (status != ELM_OK)
            break;
        add(sums, &f, corruptions);
        solved += f.solved;
        status = cycle_tick(c, c->progress.done + 1, c->progress.all, err);
    }
    double share = solved / c->def.seeds;
    if (corruptions == 0 || (share >= TOO_HARD && share <= TOO_EASY)) {
        sums->taught++;
        elm_buf_add_str(&sums->learn, elm_buf_str(&runs));
    }
    elm_buf_release(&runs);
    elm_buf_release(&run);
    return status;
}

/* A folder without problem.yaml is what a kill has left, half-written files in it. */
static void clear_problem(const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        unlinkat(dirfd(d), e->d_name, 0);
    if (d != NULL)
        closedir(d);
    rmdir(folder);
}

static enum elm_status write_problem(const struct elm_task *t, const char *folder,
                                     struct elm_error *err)
{
    struct elm_buf yaml = {0};
    elm_buf_printf(&yaml, "%s/problem.yaml", folder);
    bool there = cycle_there(yaml.ptr);
    elm_buf_release(&yaml);
    if (there)
        return ELM_OK;
    clear_problem(folder);
    return elm_task_write(t, folder, err);
}

static enum elm_status solve_task(struct elm_cycle *c, uint32_t round, uint32_t number,
                                  const struct elm_task *t, struct sums *sums,
                                  struct elm_error *err)
{
    char name[32];
    struct elm_buf folder = {0};
    struct elm_problem *p;
    snprintf(name, sizeof(name), "problems/p%03u", number);
    /* a path of a problem needs a slash: it has one */
    cycle_path(c, round, name, &folder);
    enum elm_status status = write_problem(t, folder.ptr, err);
    if (status == ELM_OK)
        status = elm_problem_load(folder.ptr, NULL, &p, err);
    if (status == ELM_OK) {
        status = solve_one(c, round, p, strchr(name, '/') + 1, t->corruptions, sums, err);
        elm_problem_free(p);
    }
    elm_buf_release(&folder);
    return status;
}

enum elm_status cycle_generator(const struct elm_cycle *c, uint32_t round, struct elm_generator **out,
                                struct elm_error *err)
{
    const struct elm_cycle_round *r = &c->rounds[round - 1];
    struct elm_generator_def def = {.stream = ELM_STREAM_TRAIN,
                                    .seed = cycle_seed(c, CYCLE_FOR_SOLVE, round),
                                    .corruptions_min = (uint32_t)r->corruptions_min,
                                    .corruptions_max = (uint32_t)r->corruptions_max};
    return elm_generator_open(&def, out, err);
}

static enum elm_status solve_generated(struct elm_cycle *c, uint32_t round, struct sums *sums,
                                       struct elm_error *err)
{
    struct elm_generator *g;
    char *folder = cycle_path_of(c, round, "problems");
    enum elm_status status = cycle_folder(folder, err);
    free(folder);
    ELM_TRY(status);
    ELM_TRY(cycle_generator(c, round, &g, err));
    for (uint32_t i = 0; i < c->def.count && status == ELM_OK; i++)
        status = solve_task(c, round, i, elm_generator_task(g, (uint64_t)i * CYCLE_SPREAD), sums, err);
    elm_generator_close(g);
    return status;
}

static enum elm_status solve_named(struct elm_cycle *c, uint32_t round, const char *load,
                                   struct sums *sums, struct elm_error *err)
{
    struct elm_problem *p;
    struct elm_buf name = {0};
    ELM_TRY(elm_problem_load(load, c->def.problems_path, &p, err));
    bool variant = p->variant != NULL && p->variant[0] != '\0';
    elm_buf_printf(&name, "%s%s%s", p->name, variant ? "-" : "", variant ? p->variant : "");
    for (size_t i = 0; i < name.len; i++) {
        if (!isalnum((unsigned char)name.ptr[i]) && strchr("-_.", name.ptr[i]) == NULL)
            name.ptr[i] = '_';
    }
    enum elm_status status = solve_one(c, round, p, name.ptr, 0, sums, err);
    elm_buf_release(&name);
    elm_problem_free(p);
    return status;
}

static void settle(struct elm_cycle_round *r, const struct sums *s)
{
    r->searches = s->searches;
    r->evaluations = s->evaluations;
    r->solved = s->targeted > 0 ? s->solved / s->targeted : NAN;
    for (int k = 0; k < ELM_CYCLE_CORRUPTIONS_MAX; k++)
        r->solved_at[k] = s->of[k] > 0 ? s->solved_of[k] / s->of[k] : NAN;
    r->valid = s->attempts > 0 ? s->ok / s->attempts : NAN;
    r->better = s->asked > 0 ? s->better / s->asked : NAN;
    r->qd = s->niched > 0 ? s->qd / s->niched : NAN;
    r->coverage = s->niched > 0 ? s->coverage / s->niched : NAN;
    r->taught = s->taught;
    r->cpu_solve_s = s->cpu_s;
}

enum elm_status cycle_solve(struct elm_cycle *c, uint32_t round, struct elm_error *err)
{
    struct sums sums = {0};
    uint32_t problems = c->def.generated ? c->def.count : c->def.problem_count;
    c->progress.what = "solve";
    c->progress.done = 0;
    c->progress.all = (double)problems * c->def.seeds;
    cycle_hardness(c, round);
    char *runs = cycle_path_of(c, round, "runs"), *learn = cycle_path_of(c, round, "learn.txt");
    enum elm_status status = cycle_folder(runs, err);
    if (status == ELM_OK && c->def.generated)
        status = solve_generated(c, round, &sums, err);
    for (uint32_t i = 0; i < c->def.problem_count && status == ELM_OK; i++)
        status = solve_named(c, round, c->def.problems[i], &sums, err);
    if (status == ELM_OK) {
        settle(&c->rounds[round - 1], &sums);
        status = elm_file_write(learn, elm_buf_str(&sums.learn), err);
    }
    if (status == ELM_OK && c->def.generated)
        status = cycle_annecs(c, round, err);
    elm_buf_release(&sums.learn);
    free(runs);
    free(learn);
    return status;
}
