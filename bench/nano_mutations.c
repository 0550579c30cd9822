/*
 * nano_mutations [trials [model]]: the yardsticks of Lehman et al. 2022, section 3.1: the share of single
 * mutations of one broken parent that mend all its bugs: parity of four bits with 1 to 5, and the
 * quadratic with 1 and 2. Neither is in what the tree-edit model is trained on (src/learn/yardstick.c);
 * bench/parity_gp.c has plain GP.
 *
 *   NAME_B_tT            independent samples of the model at temperature T
 *   NAME_B_holesH        of those at 0.7, the ones with H edits, and what share of all they are
 *   NAME_B_nano, _guided children as a search gets them, in groups without replacement
 */
#include "elm/nano.h"
#include "elm/tape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MAX 256
#define TRIALS 10000
#define GROUP 32

struct yardstick {
    struct elm_problem *problem;
    struct elm_evidence evidence;
    uint32_t cases;                  /* that a child must get right; the first are shown */
    uint8_t in[CASES_MAX * 32], want[CASES_MAX * 8], mask[CASES_MAX * 8];
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    struct elm_vm_memory *vm;
    struct elm_arena arena;
    struct elm_buf code;
};

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "nano_mutations: %s\n", err->message);
    exit(1);
}

static void make_parity(struct yardstick *y)
{
    y->cases = y->evidence.case_count = 16;
    for (int32_t row = 0; row < 16; row++) {
        int32_t odd = 0;
        for (int k = 0; k < 4; k++) {
            int32_t bit = row >> k & 1;
            memcpy(y->in + 16 * row + 4 * k, &bit, 4);
            odd ^= bit;
        }
        memcpy(y->want + 8 * row, &odd, 4);
        memset(y->mask + 8 * row, 1, 4);
    }
}

static void make_quadratic(struct yardstick *y)
{
    struct elm_rng rng = elm_rng(1, 0);
    y->cases = CASES_MAX;
    y->evidence.case_count = 64;
    for (uint32_t c = 0; c < y->cases; c++) {
        double v[4], want;
        for (int k = 0; k < 4; k++)
            v[k] = ((double)elm_rng_below(&rng, 201) - 100) / 10;
        want = v[0] * v[3] * v[3] + v[1] * v[3] + v[2];
        memcpy(y->in + 32 * (size_t)c, v, 32);
        memcpy(y->want + 8 * (size_t)c, &want, 8);
        memset(y->mask + 8 * (size_t)c, 1, 8);
    }
}

static bool right(const struct yardstick *y, uint32_t c, const uint8_t *out)
{
    double got, want;
    if (y->problem->io.returns == ELM_TYPE_INT)
        return memcmp(out, y->want + 8 * (size_t)c, 4) == 0;
    memcpy(&got, out, 8);
    memcpy(&want, y->want + 8 * (size_t)c, 8);
    return fabs(got - want) <= 1e-9 * (1 + fabs(want));
}

static bool mends(struct yardstick *y, const struct elm_edit *edits, uint32_t count)
{
    const struct elm_problem *p = y->problem;
    struct elm_tree child;
    if (elm_tree_edit(&p->seed, edits, count, &child, NULL) != ELM_OK)
        return false;
    elm_buf_clear(&y->code);
    bool ok = elm_tree_check(&child, p->names, NULL) == ELM_OK &&
              elm_vm_compile(&child, p->names, &p->io, &y->code, NULL) == ELM_OK;
    for (uint32_t c = 0; ok && c < y->cases; c++) {
        uint64_t steps;
        uint8_t out[8];
        ok = elm_vm_run(y->code.ptr, y->vm, y->in + (size_t)c * p->io.in_bytes, out, p->fuel,
                        &steps) == ELM_VM_OK && right(y, c, out);
    }
    elm_tree_release(&child);
    return ok;
}

static void print(const char *name, const char *what, uint64_t mended, uint64_t of)
{
    double share = of > 0 ? (double)mended / (double)of : 0;
    printf("%s_%s %.3f percent (+-%.3f)\n", name, what, 100 * share,
           100 * sqrt(share * (1 - share) / (double)(of > 0 ? of : 1)));
    fflush(stdout);
}

static void independent(struct yardstick *y, struct elm_nano_sampler *s, const char *name,
                        double temperature, uint32_t trials)
{
    uint64_t mended = 0, of[ELM_EDITS_MAX + 1] = {0}, some[ELM_EDITS_MAX + 1] = {0};
    char what[32];
    for (uint32_t i = 0; i < trials; i++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        elm_arena_clear(&y->arena);
        if (elm_nano_sample(s, elm_hash_mix(1, i), 1, temperature) == 0)
            continue;
        uint32_t count = elm_nano_child(s, 0, &y->arena, edits, NULL);
        bool good = mends(y, edits, count);
        mended += good;
        some[count] += good;
        of[count]++;
    }
    snprintf(what, sizeof(what), "t%.1f", temperature);
    print(name, what, mended, trials);
    for (uint32_t k = 1; k <= ELM_EDITS_MAX && temperature == 0.7; k++) {
        snprintf(what, sizeof(what), "holes%u", k);
        if (of[k] > 0)
            print(name, what, some[k], of[k]);
        if (of[k] > 0)
            printf("%s_%s_share %.3f\n", name, what, (double)of[k] / trials);
    }
}

static void operator_children(struct yardstick *y, const char *name, const char *kind,
                              const char *model, uint32_t trials)
{
    const struct elm_operator_kind *op = elm_operator_find(kind);
    struct elm_evaluation evaluation = {.status = ELM_EVAL_OK};
    struct elm_parent parent = {.id = 1, .tree = &y->problem->seed, .editable = y->editable,
                                .editable_count = y->problem->seed.count,
                                .evaluation = &evaluation};
    struct elm_parents parents = {&parent, 1};
    struct elm_operator_context context = {.problem = y->problem, .evidence = &y->evidence,
                                           .vm = y->vm, .arena = &y->arena, .model = model};
    struct elm_rng rng = elm_rng(1, 1);
    void *self = op->make(y->problem);
    uint64_t mended = 0;
    for (uint32_t i = 0; i < trials; i++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        uint32_t count;
        elm_arena_clear(&y->arena);
        context.group = elm_hash_mix(2, i / GROUP);
        context.member = i % GROUP;
        if (op->mutate(self, &context, &parents, &rng, edits, &count, NULL) == ELM_OK)
            mended += mends(y, edits, count);
    }
    op->free(self);
    print(name, kind, mended, trials);
}

static void measure(struct yardstick *y, const struct elm_nano *n, const char *model,
                    const char *problem, uint32_t bugs, uint32_t trials)
{
    static const double temperatures[] = {0.5, 0.7, 1.0};
    struct elm_error err = {0};
    struct elm_nano_sampler *s;
    char name[64];
    snprintf(name, sizeof(name), "%s:%u", problem, bugs);
    check(elm_problem_load(name, "problems", &y->problem, &err), &err);
    *strchr(name, ':') = '_';
    elm_tree_editable(&y->problem->seed, y->problem->names, y->editable);
    check(elm_nano_sampler_new(n, ELM_KERNEL_AUTO, &s, &err), &err);
    if (!elm_nano_read(s, y->problem, &y->evidence, &y->problem->seed, y->editable, false, y->vm))
        exit(1);
    for (size_t k = 0; k < ELM_COUNT(temperatures); k++)
        independent(y, s, name, temperatures[k], trials);
    operator_children(y, name, "nano", model, trials);
    operator_children(y, name, "guided", model, trials);
    elm_nano_sampler_free(s);
    elm_problem_free(y->problem);
}

int main(int argc, char **argv)
{
    static struct yardstick y;
    struct elm_error err = {0};
    struct elm_nano *n;
    uint32_t trials = argc > 1 ? (uint32_t)atoi(argv[1]) : TRIALS;
    const char *model = argc > 2 ? argv[2] : NULL;
    check(model != NULL ? elm_nano_open(model, &n, &err) : elm_nano_builtin(&n, &err), &err);
    y.vm = elm_vm_memory_new();
    y.evidence = (struct elm_evidence){.in = y.in, .want = y.want, .want_mask = y.mask};
    make_parity(&y);
    for (uint32_t bugs = 1; bugs <= 5; bugs++)
        measure(&y, n, model, "parity", bugs, trials);
    make_quadratic(&y);
    for (uint32_t bugs = 1; bugs <= 2; bugs++)
        measure(&y, n, model, "quadratic", bugs, trials);
    elm_nano_free(n);
    elm_vm_memory_free(y.vm);
    elm_arena_release(&y.arena);
    elm_buf_release(&y.code);
    return 0;
}
