/*
 * adam_funnel OUT.c RUN|FILE.c...: which of the update rules that runs of problems/adam found is good in longer
 * trainings than a search can afford. The best of each niche of the runs, the problem's seed and its
 * reference train the two tasks that no search sees, on seeds of their own: all of them as long as the
 * search's trainings, the best ten times as long, the best of these a hundred times. A number is the steps
 * that tuned Adam needs over the steps taken, a geometric mean: without the decay of judge.c, which is tuned for
 * short trainings and holds a hundredfold one back. A FILE.c, written by hand, goes all the way
 * beside them. The best found one is written to OUT.c.
 */
#include "../problems/adam/judge.c"

#include "elm/elm.h"

#include <stdlib.h>

#define CANDIDATES_MAX 256
#define CURVE 7                /* Adam's steps: 1/2 .. 4 times as many, half doublings apart */
#define SEEDS_MAX 3
#define HIDDEN_TASKS 2
#define FUEL 400000

static const enum task_name hidden[HIDDEN_TASKS] = {T_SCALED, T_LANGUAGE};
static const struct level {
    int longer, keep, seeds;
} levels[] = {{1, 24, 3}, {10, 8, 2}, {100, 3, 1}};

struct candidate {
    char name[96];
    struct elm_buf text, code;
    bool found;                        /* by a search; else a control */
    double fitness, ratio[3];
    int rate[HIDDEN_TASKS];            /* the best one of the level before, as an index */
};

struct funnel {
    const struct elm_problem *problem;
    struct elm_vm_memory *vm;
    struct candidate all[CANDIDATES_MAX];
    uint32_t count;
    struct instance data[HIDDEN_TASKS][SEEDS_MAX];
    double curve[HIDDEN_TASKS][SEEDS_MAX][CURVE];      /* log of Adam's loss */
    int adamw_rate[HIDDEN_TASKS];
};

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "adam_funnel: %s\n", err->message);
    exit(1);
}

/* ---- a training ---- */

static bool call(const struct funnel *f, const struct candidate *c, const struct instance *d, int block,
                 double *w, const double *g, int t, double lr)
{
    const uint32_t slots = elm_vm_state_slots(c->code.ptr);
    const int at = d->block[block].at, n = d->block[block].n;
    struct in in = {.n = n, .t = t, .lr = lr};
    struct out out;
    uint64_t steps;
    memcpy(in.w, w + at, (size_t)n * sizeof(double));
    memcpy(in.g, g + at, (size_t)n * sizeof(double));
    const bool good = elm_vm_run_state(c->code.ptr, f->vm, (uint32_t)block * slots, &in, &out, FUEL,
                                       &steps) == ELM_VM_OK;
    memcpy(w + at, out.w, (size_t)n * sizeof(double));
    return good;
}

static double loss_of(const struct funnel *f, const struct candidate *c, const struct instance *d,
                      double rate, int steps)
{
    double w[WEIGHTS], g[WEIGHTS];
    memcpy(w, d->start, sizeof(w));
    elm_vm_clear_state(f->vm, elm_vm_state_slots(c->code.ptr) * (uint32_t)d->blocks);
    for (int t = 1; t <= steps; t++) {
        gradient(d, w, t, g);
        for (int b = 0; b < d->blocks; b++) {
            if (!call(f, c, d, b, w, g, t, rate_at(rate, t, steps)))
                return INFINITY;
        }
        if (!sane(w, d->weights))
            return INFINITY;
    }
    const double loss = whole_loss(d, w);
    return isfinite(loss) ? loss : INFINITY;
}

/* The least loss over the rates: all of them where *best is -1, else *best and on to both sides for as
 * long as that helps. c NULL: AdamW. Leaves the best rate's index in *best. */
static double tuned(const struct funnel *f, const struct candidate *c, const struct instance *d, int steps,
                    int *best)
{
    double loss[RATES];
    int from = *best < 0 ? 0 : *best - 1, to = *best < 0 ? RATES - 1 : *best + 1, at = -1;
    bool known[RATES] = {false};
    for (;;) {
        from = from < 0 ? 0 : from;
        to = to >= RATES ? RATES - 1 : to;
        for (int r = from; r <= to; r++) {
            if (!known[r])
                loss[r] = c == NULL ? adamw(d, rates[r], 0, steps)
                                    : loss_of(f, c, d, rates[r], steps);
            known[r] = true;
            at = at < 0 || loss[r] < loss[at] ? r : at;
        }
        if ((at > from || from == 0) && (at < to || to == RATES - 1))
            break;
        from -= at == from;
        to += at == to;
    }
    *best = at;
    return loss[at];
}

/* ---- levels ---- */

static void make_curve_of(struct funnel *f, int task, int seed, const struct level *l)
{
    int best = f->adamw_rate[task];
    for (int k = 0; k < CURVE; k++) {
        const int steps = (int)(tasks[hidden[task]].steps * l->longer * pow(2, k / 2.0 - 1) + 0.5);
        f->curve[task][seed][k] = log(tuned(f, NULL, &f->data[task][seed], steps, &best));
    }
    f->adamw_rate[task] = best;
}

/* Adam's steps to a loss, over those taken: 1/2 to 4. */
static double log_ratio(const double *curve, double loss)
{
    const double wanted = log(loss);
    for (int k = 0; k + 1 < CURVE; k++) {
        if (k == 0 && !(wanted < curve[0]))
            return -log(2);
        if (curve[k + 1] <= wanted)
            return ((k + (wanted - curve[k]) / (curve[k + 1] - curve[k])) / 2 - 1) * log(2);
    }
    return 2 * log(2);
}

static void measure(struct funnel *f, struct candidate *c, size_t level)
{
    const struct level *l = &levels[level];
    double sum = 0;
    for (int task = 0; task < HIDDEN_TASKS; task++) {
        const int steps = tasks[hidden[task]].steps * l->longer;
        int best = c->rate[task];
        for (int seed = 0; seed < l->seeds; seed++) {
            best = level == 0 ? -1 : best;
            sum += log_ratio(f->curve[task][seed], tuned(f, c, &f->data[task][seed], steps, &best));
        }
        c->rate[task] = best;
    }
    c->ratio[level] = exp(sum / (HIDDEN_TASKS * l->seeds));
}

static int by_fitness(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->found != y->found ? x->found - y->found : (x->fitness < y->fitness) - (x->fitness > y->fitness);
}

/* Controls first, then the best; only the first `keep` found ones go on. */
static void run_level(struct funnel *f, size_t level)
{
    const struct level *l = &levels[level];
    uint32_t controls = 0;
    qsort(f->all, f->count, sizeof(f->all[0]), by_fitness);
    while (controls < f->count && !f->all[controls].found)
        controls++;
    if (f->count > controls + (uint32_t)l->keep)
        f->count = controls + (uint32_t)l->keep;
    for (int task = 0; task < HIDDEN_TASKS; task++) {
        for (int seed = 0; seed < l->seeds; seed++) {
            make_instance(&f->data[task][seed], hidden[task],
                          stream(0xf0 + level, (uint64_t)(10 * task + seed)));
            make_curve_of(f, task, seed, l);
        }
    }
    printf("\n%d times as long\n", l->longer);
    for (uint32_t i = 0; i < f->count; i++) {
        struct candidate *c = &f->all[i];
        measure(f, c, level);
        c->fitness = c->ratio[level];
        printf("%-28s %.3f  rates %g %g\n", c->name, c->ratio[level], rates[c->rate[0]], rates[c->rate[1]]);
        fflush(stdout);
    }
    qsort(f->all, f->count, sizeof(f->all[0]), by_fitness);
}

/* ---- candidates ---- */

/* False when the virtual machine can't run it. */
static bool add(struct funnel *f, const char *name, struct elm_str text, bool found, double fitness)
{
    struct candidate *c = &f->all[f->count];
    struct elm_tree tree = {0};
    if (f->count == CANDIDATES_MAX || elm_tree_parse(text, f->problem->names, &tree, NULL) != ELM_OK)
        return false;
    *c = (struct candidate){.found = found, .fitness = fitness, .rate = {-1, -1}};
    snprintf(c->name, sizeof(c->name), "%s", name);
    const bool good =
        elm_tree_check(&tree, f->problem->names, NULL) == ELM_OK &&
        elm_io_match(&f->problem->io, &tree, f->problem->names, NULL) == ELM_OK &&
        elm_vm_compile(&tree, f->problem->names, &f->problem->io, &c->code, NULL) == ELM_OK;
    elm_buf_add_str(&c->text, text);
    elm_tree_release(&tree);
    f->count += good;
    return good;
}

struct niche {
    int64_t id;
    double fitness;
};
struct niches {
    struct niche best[16][16];
};

/* The grid's elites: a cell a whole number of the rate and ten nodes. */
static bool take_attempt(void *ctx, const struct elm_attempt *a)
{
    struct niches *n = ctx;
    if (a->status != ELM_EVAL_OK || (a->id != 0 && a->outcome < ELM_OUTCOME_IMPROVED))
        return true;
    const double x = fmin(fmax(2 * a->measures[0], 0), 15), y = fmin(fmax(a->measures[1] / 10, 0), 15);
    struct niche *best = &n->best[(int)x][(int)y];
    if (a->fitness > best->fitness)
        *best = (struct niche){a->id, a->fitness};
    return true;
}

static void add_run(struct funnel *f, const char *folder)
{
    struct elm_error err = {0};
    struct elm_store *store;
    static struct niches n;
    memset(&n, 0, sizeof(n));
    check(elm_store_open(folder, ELM_STORE_READ, &store, &err), &err);
    check(elm_store_each(store, 0, take_attempt, &n, &err), &err);
    for (int i = 0; i < 256; i++) {
        const struct niche *best = &n.best[i / 16][i % 16];
        struct elm_buf text = {0};
        char name[96];
        if (best->fitness <= 0 || best->id == 0)
            continue;
        check(elm_store_text(store, best->id, &text, &err), &err);
        snprintf(name, sizeof(name), "%.60s %lld", folder, (long long)best->id);
        add(f, name, elm_buf_str(&text), true, best->fitness);
        elm_buf_release(&text);
    }
    check(elm_store_close(store, &err), &err);
}

static void add_file(struct funnel *f, const char *path)
{
    struct elm_error err = {0};
    struct elm_buf text = {0};
    check(elm_file_read(path, ELM_TEXT_BYTES_MAX, &text, &err), &err);
    if (!add(f, path, elm_buf_str(&text), false, 0)) {
        fprintf(stderr, "adam_funnel: '%s' is no update rule in core C\n", path);
        exit(1);
    }
    elm_buf_release(&text);
}

static bool is_file(const char *path)
{
    const size_t len = strlen(path);
    return len > 2 && strcmp(path + len - 2, ".c") == 0;
}

int main(int argc, char **argv)
{
    static struct funnel f;
    struct elm_error err = {0};
    struct elm_problem *problem;
    if (argc < 3) {
        fprintf(stderr, "usage: adam_funnel OUT.c RUN|FILE.c...\n");
        return 2;
    }
    check(elm_problem_load("adam", "problems", &problem, &err), &err);
    f.problem = problem;
    f.vm = elm_vm_memory_new();
    f.adamw_rate[0] = f.adamw_rate[1] = -1;
    add(&f, "seed.c", elm_str(problem->seed_text), false, 0);
    add(&f, "reference.c", elm_str(problem->reference_text), false, 0);
    for (int i = 2; i < argc; i++) {
        if (is_file(argv[i]))
            add_file(&f, argv[i]);
        else
            add_run(&f, argv[i]);
    }
    for (size_t level = 0; level < ELM_COUNT(levels); level++)
        run_level(&f, level);
    const struct candidate *best = NULL;
    for (uint32_t i = 0; i < f.count && best == NULL; i++)
        best = f.all[i].found ? &f.all[i] : NULL;
    if (best == NULL) {
        fprintf(stderr, "adam_funnel: the runs hold no program but the seed\n");
        return 1;
    }
    printf("\n%s: %.3f, %.3f, %.3f\n%s", best->name, best->ratio[0], best->ratio[1], best->ratio[2],
           best->text.ptr);
    check(elm_file_write(argv[1], elm_buf_str(&best->text), &err), &err);
    for (uint32_t i = 0; i < CANDIDATES_MAX; i++) {
        elm_buf_release(&f.all[i].text);
        elm_buf_release(&f.all[i].code);
    }
    elm_vm_memory_free(f.vm);
    elm_problem_free(problem);
    return 0;
}
