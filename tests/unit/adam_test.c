/*
 * adam: the tasks that problems/adam trains have the gradients that their losses say, and its judge
 * measures as it claims: AdamW gets 1, what runs away is invalid, what is far behind is stopped.
 */
#include "../../problems/adam/judge.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define LANES ELM_CASES_MAX

/* ---- gradients ---- */

/* Along single weights and along a random direction, away from the start. */
static void check_gradient(const struct instance *d, int t)
{
    static double w[WEIGHTS], g[WEIGHTS], unused[WEIGHTS], step[WEIGHTS];
    uint64_t s = stream(d->seed, 7);
    for (int i = 0; i < d->weights; i++)
        w[i] = d->start[i] * (1 + 0.1 * normal(&s)) + 0.01 * normal(&s);
    gradient(d, w, t, g);
    for (int k = 0; k < 40; k++) {
        double along = 0, h = 1e-5, up, down;
        int only = k < 30 ? below(&s, d->weights) : -1;
        for (int i = 0; i < d->weights; i++) {
            step[i] = only < 0 ? normal(&s) / sqrt(d->weights) : i == only;
            along += g[i] * step[i];
            w[i] += h * step[i];
        }
        up = gradient(d, w, t, unused);
        for (int i = 0; i < d->weights; i++)
            w[i] -= 2 * h * step[i];
        down = gradient(d, w, t, unused);
        for (int i = 0; i < d->weights; i++)
            w[i] += h * step[i];
        if (fabs((up - down) / (2 * h) - along) > 1e-4 * (fabs(along) + 1e-2 * fabs(up)))
            fail_msg("%s, step %d, weight %d: %g by differences, %g by hand", tasks[d->task].name,
                     t, only, (up - down) / (2 * h), along);
    }
}

static void test_gradients(void **state)
{
    (void)state;
    static struct instance d;
    for (int task = 0; task < TASKS; task++) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            make_instance(&d, (enum task_name)task, seed);
            check_gradient(&d, (int)seed);
        }
    }
}

/* The mean of the batches' gradients is that of the loss that counts. */
static void test_batches(void **state)
{
    (void)state;
    static const enum task_name noisy[] = {T_QUADRATIC, T_LOGISTIC, T_MLP, T_AUTOENCODER,
                                           T_FACTORS};
    static struct instance d;
    static double g[WEIGHTS], mean[WEIGHTS], w[WEIGHTS];
    for (size_t k = 0; k < sizeof(noisy) / sizeof(noisy[0]); k++) {
        double dot = 0, by_hand = 0, h = 1e-4;
        make_instance(&d, noisy[k], 5);
        memset(mean, 0, sizeof(mean));
        for (int t = 1; t <= 4000; t++) {
            gradient(&d, d.start, t, g);
            for (int i = 0; i < d.weights; i++)
                mean[i] += g[i] / 4000;
        }
        for (int i = 0; i < d.weights; i++)
            dot += mean[i] * mean[i];
        for (int side = -1; side <= 1; side += 2) {
            for (int i = 0; i < d.weights; i++)
                w[i] = d.start[i] + side * h * mean[i] / sqrt(dot);
            by_hand += side * whole_loss(&d, w) / (2 * h);
        }
        assert_true(fabs(by_hand - sqrt(dot)) < 0.1 * sqrt(dot));
    }
}

static void test_instances(void **state)
{
    (void)state;
    static struct instance d, again, other;
    static double g[WEIGHTS];
    for (int task = 0; task < TASKS; task++) {
        memset(&d, 0, sizeof(d));
        memset(&again, 0, sizeof(again));
        make_instance(&d, (enum task_name)task, 9);
        make_instance(&again, (enum task_name)task, 9);
        make_instance(&other, (enum task_name)task, 10);
        assert_memory_equal(&d, &again, sizeof(d));
        assert_memory_not_equal(&d, &other, sizeof(d));
        int sum = 0;
        for (int b = 0; b < d.blocks; b++) {
            assert_int_equal(d.block[b].at, sum);
            assert_in_range(d.block[b].n, 1, CALL);
            sum += d.block[b].n;
        }
        assert_int_equal(sum, d.weights);
        assert_in_range(d.weights, 1, WEIGHTS);
        assert_in_range(d.blocks, 1, BLOCKS);
        double loss = gradient(&d, d.start, 3, g);
        assert_true(loss == gradient(&again, again.start, 3, g));
        assert_true(whole_loss(&d, d.start) > 0);
    }
}

/* Twice the steps take AdamW further, in what the table says and in fact. */
static void test_curve(void **state)
{
    (void)state;
    for (int task = 0; task < TASKS; task++) {
        const double *curve = adamw_of[task].curve;
        assert_true(curve[POINTS / 2] == 0);
        for (int k = 1; k < POINTS; k++)
            assert_true(curve[k] < curve[k - 1]);
        assert_true(fabs(steps_to((enum task_name)task, 0.5, 0.5) - 1) < 1e-9);
        assert_true(fabs(steps_to((enum task_name)task, exp(curve[6]), 1) - 2) < 1e-9);
        assert_true(fabs(steps_to((enum task_name)task, exp(curve[0]), 1) - 0.25) < 1e-9);
        assert_true(steps_to((enum task_name)task, 1e30, 1) == LEAST);
        assert_true(steps_to((enum task_name)task, 0, 1) == MOST);
    }
}

/* ---- the judge ---- */

typedef void rule(const struct state *s, int lane, const struct in *in, double *m, double *v,
                  struct out *out);

static void adamw_rule(const struct state *s, int lane, const struct in *in, double *m, double *v,
                       struct out *out)
{
    double decay = adamw_of[s->instance[s->lane[lane].instance].task].decay;
    double one = 1 - pow(0.9, in->t), two = 1 - pow(0.999, in->t);
    for (int i = 0; i < in->n; i++) {
        m[i] = 0.9 * m[i] + 0.1 * in->g[i];
        v[i] = 0.999 * v[i] + 0.001 * in->g[i] * in->g[i];
        out->w[i] = in->w[i] - in->lr * (m[i] / one / (sqrt(v[i] / two) + 1e-8) +
                                         decay * in->w[i]);
    }
}

static void idle_rule(const struct state *s, int lane, const struct in *in, double *m, double *v,
                      struct out *out)
{
    (void)s;
    (void)lane;
    (void)m;
    (void)v;
    memcpy(out->w, in->w, sizeof(out->w));
}

static void wild_rule(const struct state *s, int lane, const struct in *in, double *m, double *v,
                      struct out *out)
{
    (void)s;
    (void)m;
    (void)v;
    for (int i = 0; i < in->n; i++)
        out->w[i] = lane % 2 == 0 ? 3 * in->w[i] + 1 : NAN;
}

/* Adam but for the first learning rate of each training, where it answers nonsense. */
static void partly_wild_rule(const struct state *s, int lane, const struct in *in, double *m,
                             double *v, struct out *out)
{
    if (s->lane[lane].rate == 0)
        wild_rule(s, lane, in, m, v, out);
    else
        adamw_rule(s, lane, in, m, v, out);
}

struct game {
    struct state *state;
    struct world *world;
    int n, rounds, calls;
    struct elm_result result;
};

static void play(struct game *g, enum elm_set set, rule *f)
{
    struct in *in = calloc(LANES, sizeof(*in));
    struct out *out = calloc(LANES, sizeof(*out));
    double(*memory)[2][CALL] = calloc(LANES, sizeof(*memory));
    uint8_t live[LANES];
    *g = (struct game){.state = calloc(1, sizeof(struct state)),
                       .world = calloc(1, sizeof(struct world))};
    g->n = elm_judge.make(g->state, set, 1, LANES, in);
    memset(live, 1, sizeof(live));
    while (elm_judge.next(g->state, g->world, g->rounds, g->n, out, in, live) > 0) {
        for (int i = 0; i < g->n; i++) {
            if (!live[i])
                continue;
            f(g->state, i, &in[i], memory[i][0], memory[i][1], &out[i]);
            g->calls++;
        }
        g->rounds++;
    }
    elm_judge.score(g->state, g->n, in, g->world, &(struct elm_cost){0}, &g->result);
    free(in);
    free(out);
    free(memory);
}

static void end(struct game *g)
{
    free(g->state);
    free(g->world);
}

static void test_adamw_is_one(void **state)
{
    (void)state;
    static const int lanes[ELM_SETS] = {14, 238, 413};      /* as in problem.yaml */
    for (int set = 0; set < ELM_SETS; set++) {
        struct game g;
        play(&g, (enum elm_set)set, adamw_rule);
        assert_int_equal(g.n, lanes[set]);
        assert_int_equal(g.result.invalid, 0);
        assert_true(fabs(g.result.fitness - 1) < 0.02);
        assert_in_range(g.rounds, 1, 600);
        end(&g);
    }
}

static void test_hurdles(void **state)
{
    (void)state;
    struct game whole, idle, wild, partly;
    play(&whole, ELM_SET_SCORED, adamw_rule);
    play(&idle, ELM_SET_SCORED, idle_rule);
    assert_true(!idle.result.invalid && idle.result.fitness < 0.15);
    assert_true(idle.calls * 3 < whole.calls && idle.rounds <= 250);
    play(&wild, ELM_SET_SCORED, wild_rule);
    assert_true(wild.result.invalid && strstr(wild.result.why, "runs away") != NULL);
    assert_true(wild.rounds < 20);
    play(&partly, ELM_SET_SCORED, partly_wild_rule);
    assert_true(!partly.result.invalid && partly.result.fitness > 0.9);
    end(&whole);
    end(&idle);
    end(&wild);
    end(&partly);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),    cmocka_unit_test(test_batches),
        cmocka_unit_test(test_instances),    cmocka_unit_test(test_curve),
        cmocka_unit_test(test_adamw_is_one), cmocka_unit_test(test_hurdles),
    };
    return cmocka_run_group_tests_name("adam", tests, NULL, NULL);
}
