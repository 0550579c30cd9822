/* cycle_gate: is the new operator better than the one in use? On pairs of runs that nothing has seen. */
#include "learn/cycle.h"
#include "learn/sequential.h"

#include <math.h>
#include <stdlib.h>

#define ALPHA 0.05               /* of a cycle of any length */
#define ALPHA_WORSE 0.05         /* of giving up too early: costs a chance, adopts nothing */
#define LOOKS 8                  /* each at so many parts more of all pairs */

/* How far `a` is ahead of `b`, in -1..1. Where there is a target, which all runs share: the mean over the
 * marks of the gains' difference. Else whose area is larger, of the best fitness or of QD: by how much
 * would need a scale, and one that later runs stretch would change what was counted before. */
static double ahead(const struct elm_compare_result *r, const struct elm_compare_problem *p,
                    const struct elm_compare_cell *a, const struct elm_compare_cell *b)
{
    double sum = 0, way = p->target - a->seed_fitness;
    if (a->abstained || b->abstained || r->mark_count == 0)
        return 0;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        double x = i < a->marks ? a->curve[i] : a->best, y = i < b->marks ? b->curve[i] : b->best;
        if (isnan(way))
            sum += x - y;
        else if (way > 0)
            sum += fmax(0, fmin(1, (x - a->seed_fitness) / way)) -
                   fmax(0, fmin(1, (y - a->seed_fitness) / way));
    }
    return isnan(way) ? (sum > 0) - (sum < 0) : sum / r->mark_count;
}

/* Pair number `pair`: a generated problem, or all problems with one seed. */
static double difference_of(const struct elm_cycle *c, const struct elm_compare_result *r,
                            uint32_t pair)
{
    double sum = 0;
    uint32_t first = c->def.generated ? pair : 0, seed = c->def.generated ? 0 : pair;
    uint32_t count = c->def.generated ? 1 : r->problem_count;
    for (uint32_t p = first; p < first + count; p++) {
        const struct elm_compare_problem *of = &r->problems[p];
        sum += ahead(r, of, &of->cells[r->seeds + seed], &of->cells[seed]);
    }
    return sum / count;
}

struct verdict {
    struct sequential better, worse;
    double sum, cpu_s;
    uint32_t wins, losses;
};

static void judge(const struct elm_cycle *c, const struct elm_compare_result *r, uint32_t pairs,
                  struct verdict *v)
{
    *v = (struct verdict){0};
    for (uint32_t i = 0; i < pairs; i++) {
        double d = difference_of(c, r, i);
        sequential_add(&v->better, d);
        sequential_add(&v->worse, -d);
        v->sum += d;
        v->wins += d > 0;
        v->losses += d < 0;
    }
    for (uint32_t a = 0; a < 2; a++)
        v->cpu_s += r->of[a].cpu_s * r->problem_count * r->seeds;
}

static enum elm_status look(struct elm_cycle *c, uint32_t round, uint32_t pairs,
                            const struct elm_compare_arm arms[2], const char *folder,
                            struct verdict *v, struct elm_error *err)
{
    const struct elm_cycle_round *r = &c->rounds[round - 1];
    struct elm_compare *compare;
    struct cycle_comparison what = {
        .arms = arms, .arm_count = 2, .stream = ELM_STREAM_GATE, .folder = folder, .pairs = pairs,
        .seed = cycle_seed(c, CYCLE_FOR_GATE, round),
        .corruptions_min = (uint32_t)r->corruptions_min,
        .corruptions_max = (uint32_t)r->corruptions_max};
    ELM_TRY(cycle_compare(c, &what, &compare, err));
    judge(c, elm_compare_result(compare), pairs, v);
    elm_compare_close(compare);
    return ELM_OK;
}

static enum elm_status decide(struct elm_cycle *c, uint32_t round, const char *model,
                              const char *folder, struct elm_error *err)
{
    struct elm_cycle_round *r = &c->rounds[round - 1];
    struct elm_compare_arm arms[2];
    struct verdict v;
    uint32_t most = c->def.gate, step = most / LOOKS > 0 ? most / LOOKS : 1, pairs = step;
    cycle_arm("in use", c->def.operators, NULL, c->current, &arms[0]);
    cycle_arm("new", c->def.operators, NULL, model, &arms[1]);
    r->log_e_wanted = -log(sequential_alpha(ALPHA, round));
    for (;; pairs = pairs + step < most ? pairs + step : most) {
        ELM_TRY(look(c, round, pairs, arms, folder, &v, err));
        r->log_e = sequential_log_e(&v.better);
        if (r->log_e >= r->log_e_wanted || sequential_log_e(&v.worse) >= -log(ALPHA_WORSE) ||
            pairs == most)
            break;
    }
    r->pairs = pairs;
    r->wins = v.wins;
    r->losses = v.losses;
    r->difference = v.sum / pairs;
    r->adopted = r->log_e >= r->log_e_wanted;
    r->cpu_gate_s = v.cpu_s;
    return ELM_OK;
}

enum elm_status cycle_gate(struct elm_cycle *c, uint32_t round, struct elm_error *err)
{
    struct elm_cycle_round *r = &c->rounds[round - 1];
    r->adopted = r->pairs = r->wins = r->losses = r->cpu_gate_s = 0;
    if (!(r->trained > 0))
        return ELM_OK;
    if (c->def.gate == 0) {
        r->adopted = 1;
        return ELM_OK;
    }
    c->progress.what = "gate";
    char *model = cycle_path_of(c, round, "model.gguf"), *folder = cycle_path_of(c, round, "gate");
    enum elm_status status = decide(c, round, model, folder, err);
    free(model);
    free(folder);
    return status;
}
