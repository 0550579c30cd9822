/*
 * sodarace: steps a second of CPU, on one core, of the simulation in problems/sodarace. A step is
 * one frame of 1/60 s of one walker: eight substeps of all its springs and joints. The walkers of a
 * vector are the starts of one walker, as the judge runs them; each of them counts.
 *
 *   sodarace_SEED_steps_per_s         the walkers of the paper, with the widest vectors there are
 *   sodarace_SEED_plain_steps_per_s   with those of the compiler's default target
 *   sodarace_SEED_ratio               over the steps of OpenELM's simulator (Box2D, bodies awake
 *                                     and swinging) on one core of a like machine: `box2d` below
 *   sodarace_SEED_evaluations_per_s   walkers scored: sixteen starts of 22 s
 */
#include "../problems/sodarace/judge.c"

#include "elm/elm.h"

#include <stdlib.h>

#define TIMES 5                    /* the best of */
#define WALKS 8

typedef void frames_function(const struct body *b, const struct course *c, struct flock *f,
                             int from, int to);

static const struct {
    const char *variant, *name;
    double box2d;                      /* steps a second */
} seeds[] = {
    {"square", "square", 190e3},
    {"radial", "radial", 114e3},
    {"cppn-fixed", "cppn_fixed", 27e3},
    {"cppn-mutable", "cppn_mutable", 27e3},
};

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "sodarace: %s\n", err->message);
    exit(1);
}

/* What the variant's seed program answers. */
static void run_seed(const char *variant, struct out *out)
{
    struct elm_error err = {0};
    struct elm_problem *p;
    struct elm_buf code = {0}, name = {0};
    struct elm_vm_memory *vm = elm_vm_memory_new();
    struct in in = {0};
    uint64_t steps;
    elm_buf_printf(&name, "sodarace:%s", variant);
    check(elm_problem_load(name.ptr, "problems", &p, &err), &err);
    check(elm_vm_compile(&p->seed, p->names, &p->io, &code, &err), &err);
    if (p->io.out_bytes != sizeof(*out) ||
        elm_vm_run(code.ptr, vm, &in, out, p->fuel, &steps) != ELM_VM_OK)
        abort();
    elm_vm_memory_free(vm);
    elm_buf_release(&code);
    elm_buf_release(&name);
    elm_problem_free(p);
}

static double steps_per_s(const struct state *s, const struct body *b, frames_function *run)
{
    int64_t least = INT64_MAX;
    for (int i = 0; i < TIMES; i++) {
        int64_t from = elm_cpu_us();
        for (int k = 0; k < WALKS; k++) {
            struct flock f;
            start(s, b, &f);
            run(b, &s->course, &f, 0, FRAMES_ALL);
            if (is_broken(&f))
                abort();
        }
        int64_t passed = elm_cpu_us() - from;
        least = passed < least ? passed : least;
    }
    return (double)WALKS * LANES * FRAMES_ALL / ((double)least / 1e6);
}

static double evaluations_per_s(const struct state *s, const struct out *out)
{
    int64_t from = elm_cpu_us(), passed = 0;
    int count = 0;
    for (; passed < 100000; count++) {
        struct elm_result result = {0};
        struct elm_cost cost = {0};
        struct in in = {0};
        score(s, 1, &in, out, &cost, &result);
        if (result.invalid)
            abort();
        passed = elm_cpu_us() - from;
    }
    return count / ((double)passed / 1e6);
}

int main(void)
{
    for (size_t i = 0; i < ELM_COUNT(seeds); i++) {
        static struct out out;
        static struct state state;
        struct in in;
        struct walker w;
        run_seed(seeds[i].variant, &out);
        make(&state, ELM_SET_SCORED, 10, 1, &in);
        if (build(&out, &w) != NULL)
            abort();
        double widest = steps_per_s(&state, &w.body, run_frames);
        printf("sodarace_%s_steps_per_s %.0f 1/s\n", seeds[i].name, widest);
        printf("sodarace_%s_plain_steps_per_s %.0f 1/s\n", seeds[i].name,
               steps_per_s(&state, &w.body, frames_plain));
        printf("sodarace_%s_ratio %.1f times_box2d\n", seeds[i].name, widest / seeds[i].box2d);
        printf("sodarace_%s_evaluations_per_s %.0f 1/s\n", seeds[i].name,
               evaluations_per_s(&state, &out));
    }
    return 0;
}
