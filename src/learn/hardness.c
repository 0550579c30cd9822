/* hardness: of the task that a generator gave last, by random programs and by searches. */
#include "learn/generator.h"

#include <math.h>

#define SAMPLES 20000
#define SEARCHES 3
#define SEARCH_BUDGET 5000
#define SOLVES 8
#define SOLVE_BUDGET 500

static bool solves(struct elm_generator *g)
{
    for (int set = 0; set < ELM_SETS; set++) {
        for (uint32_t c = 0; c < g->task.case_count[set]; c++) {
            uint8_t out[8];
            if (!generator_run(g, g->in[set], c, GENERATOR_FUEL, out) ||
                !generator_same(g, g->want[set] + 8 * (size_t)c, out))
                return false;
        }
    }
    return true;
}

/* The share of random programs with the same head and about the same size. */
static double random_share(struct elm_generator *g, uint64_t seed)
{
    struct elm_rng rng = elm_rng(seed, 0);
    uint32_t samples = 0, solved = 0, nodes = g->target.count - 3 - g->head.param_count;
    struct sketch_size size = {nodes * 3 / 4, nodes * 5 / 4 + 1, false};
    for (uint32_t tries = 0; samples < SAMPLES && tries < 20 * SAMPLES; tries++) {
        struct elm_tree tree;
        if (!sketch_body(&g->known, &rng, &g->head, size, &g->scratch))
            continue;
        tree = (struct elm_tree){g->scratch.nodes, g->scratch.count};
        if (elm_tree_check(&tree, g->task.problem.names, NULL) != ELM_OK)
            continue;
        samples++;
        solved += generator_compile(g, &g->scratch) && solves(g);
    }
    return (double)(solved > 0 ? solved : 1) / (samples > 0 ? samples : 1);
}

static enum elm_status search(struct elm_generator *g, const struct elm_trial_arm *arms,
                              uint32_t arm_count, uint64_t seed, uint32_t budget,
                              struct elm_trial *out, struct elm_error *err)
{
    struct elm_trial_def def = {.task = &g->task, .arm_count = arm_count, .seed = seed,
                                .evaluations = budget};
    for (uint32_t i = 0; i < arm_count; i++)
        def.arms[i] = arms[i];
    ELM_TRY(elm_trial_run(&def, out, err));
    elm_tree_release(&out->program);
    return ELM_OK;
}

enum elm_status elm_generator_hardness(struct elm_generator *g, struct elm_hardness *out,
                                       struct elm_error *err)
{
    static const struct elm_trial_arm reference[] = {{"semantic", 1}, {"tree", 1}};
    static const struct elm_trial_arm operators[] = {{"semantic", 1}, {"tree", 1}, {"constants", 1}};
    uint64_t seed = elm_hash_mix(g->def.seed, g->target_number);
    struct elm_trial trial;
    double taken[SEARCHES];
    uint32_t solved = 0;
    for (uint32_t i = 0; i < SEARCHES; i++) {
        ELM_TRY(search(g, reference, ELM_COUNT(reference), seed + i, SEARCH_BUDGET, &trial, err));
        taken[i] = trial.solved ? trial.solved_at : SEARCH_BUDGET;
    }
    double low = fmin(taken[0], taken[1]), high = fmax(taken[0], taken[1]);
    /* tasks without literals have nothing for `constants` */
    uint32_t arms = ELM_COUNT(operators);
    const struct elm_operator_kind *last = elm_operator_find(operators[arms - 1].operator);
    arms -= last->applies != NULL && !last->applies(&g->task.problem, &g->task.evidence, NULL);
    for (uint32_t i = 0; i < SOLVES; i++) {
        ELM_TRY(search(g, operators, arms, seed + i, SOLVE_BUDGET, &trial, err));
        solved += trial.solved;
    }
    *out = (struct elm_hardness){.random = -log10(random_share(g, seed)),
                                 .search = fmax(low, fmin(high, taken[2])),
                                 .solve_rate = (double)solved / SOLVES};
    return ELM_OK;
}
