/*
 * adam: trains small models (tasks.h) by the candidate's update rule, in lockstep: a round is one
 * step of every training. The judge holds models, data and losses; the candidate gets weights and
 * gradients, a tensor or a block of its rows a call, and the learning rate, which falls to nothing
 * over a training. Every rule is given the same seven learning rates, and its best one counts; after
 * a quarter of the steps only the best three train on, after a half the best two.
 *
 * Fitness: the geometric mean over trainings of the steps that tuned AdamW needs to come as far as
 * the candidate came, over the steps taken. AdamW runs the very same trainings with the same seven
 * rates, none dropped, when the cases are made, so that it would get 1; how far it comes with fewer
 * or more steps, and its weight decay, stand in the table below, made by tools/adam_table.c.
 *
 * Cheap trainings come first: who is behind AdamW after those of a few weights, or after all but
 * the nets, is stopped there and gets a half, or three quarters, of what it reached.
 */
#include "elm/judge.h"
#include "tasks.h"

#include <stdio.h>

#define RATES 7
#define INSTANCES 11
#define STAGES 3
#define PASS 0.93              /* the least mean ratio to go on with after a stage */
#define LEAST 0.25             /* a ratio is at least, and at most, what the table says */
#define MOST 4.0
#define POINTS 9

struct in {
    int32_t n, unused;
    double w[CALL], g[CALL];
    int32_t t, unused_too;
    double lr;
};
struct out {
    double w[CALL];
};

static const double rates[RATES] = {0.0002, 0.0006, 0.002, 0.006, 0.02, 0.06, 0.2};
/* Rates that train on after a quarter of the steps, and after a half. */
static const int kept[2] = {3, 2};

/* AdamW tuned anew for each number of steps: its weight decay at the usual number, and the log of
 * its loss over that at the usual number, for 1/4, 1/2.8, 1/2, ... 4 times as many. */
static const struct {
    double decay, curve[POINTS];
} adamw_of[TASKS] = {
    [T_QUADRATIC] = {0, {1.1897, 0.7898, 0.4994, 0.2106, 0.0000,
        -0.2585, -0.5038, -0.8638, -1.1356}},
    [T_ROSENBROCK] = {0, {3.0278, 2.8744, 2.4951, 1.6574, 0.0000,
        -2.6694, -6.4169, -11.4182, -19.2790}},
    [T_LOGISTIC] = {0.1, {1.3799, 0.9977, 0.6015, 0.1512, 0.0000,
        -0.4341, -0.5433, -0.7706, -1.1170}},
    [T_MLP] = {0, {0.8615, 0.6892, 0.4684, 0.2460, 0.0000,
        -0.3423, -0.7150, -1.1636, -1.6845}},
    [T_SCALED] = {0, {0.8550, 0.6711, 0.4763, 0.2652, 0.0000,
        -0.3179, -0.6647, -1.0521, -1.4526}},
    [T_DEEP] = {0.1, {0.7045, 0.5791, 0.4049, 0.2133, 0.0000,
        -0.2495, -0.5605, -1.0592, -1.5443}},
    [T_AUTOENCODER] = {0.1, {1.4422, 1.1534, 0.7942, 0.3866, 0.0000,
        -0.3983, -0.7637, -1.0677, -1.3817}},
    [T_LANGUAGE] = {0.01, {0.6345, 0.5023, 0.3393, 0.1768, 0.0000,
        -0.2190, -0.4556, -0.6966, -0.9435}},
    [T_FACTORS] = {0.1, {2.2915, 1.9660, 1.3991, 0.7395, 0.0000,
        -0.8725, -1.8496, -2.9185, -4.1348}},
};

struct state {
    int instances, lanes;
    int end[STAGES];                   /* of each stage's instances */
    struct {
        uint8_t instance, rate, block;
    } lane[ELM_CASES_MAX];
    double adamw[INSTANCES];           /* its loss after the usual number of steps */
    struct instance instance[INSTANCES];
};

enum phase { WAITING, RUNNING, DROPPED, AWAY /* not a number, or huge */, DONE };
struct training {
    enum phase phase;
    int t;                             /* steps taken */
    double loss;                       /* after a quarter of the steps, a half, all */
    double w[WEIGHTS];
};
struct world {
    int stage, stopped;
    struct training training[INSTANCES][RATES];
};

static double rate_at(double rate, int t, int steps)
{
    return rate * (1 - (double)(t - 1) / steps);
}

static int sane(const double *w, int n)
{
    for (int i = 0; i < n; i++) {
        if (!(fabs(w[i]) < 1e6))
            return 0;
    }
    return 1;
}

/* AdamW's loss after so many steps; infinite when it ran away. */
static double adamw(const struct instance *d, double rate, double decay, int steps)
{
    double w[WEIGHTS], g[WEIGHTS], m[WEIGHTS] = {0}, v[WEIGHTS] = {0};
    memcpy(w, d->start, sizeof(w));
    for (int t = 1; t <= steps; t++) {
        double now = rate_at(rate, t, steps), one = 1 - pow(0.9, t), two = 1 - pow(0.999, t);
        gradient(d, w, t, g);
        for (int i = 0; i < d->weights; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            w[i] -= now * (m[i] / one / (sqrt(v[i] / two) + 1e-8) + decay * w[i]);
        }
        if (!sane(w, d->weights))
            return INFINITY;
    }
    double loss = whole_loss(d, w);
    return isfinite(loss) ? loss : INFINITY;
}

/* ---- cases ---- */

static void ask(const struct instance *d, const double *w, const double *g, int block, double rate,
                int t, struct in *in)
{
    int at = d->block[block].at, n = d->block[block].n;
    in->n = n;
    in->t = t;
    in->lr = rate_at(rate, t, tasks[d->task].steps);
    memcpy(in->w, w + at, (size_t)n * sizeof(double));
    memcpy(in->g, g + at, (size_t)n * sizeof(double));
}

/* Lanes of one training after the other; none that is not whole. */
static void add_instance(struct state *s, enum task_name task, uint64_t seed, int max,
                         struct in *in)
{
    struct instance *d = &s->instance[s->instances];
    double g[WEIGHTS];
    make_instance(d, task, seed);
    if (s->lanes + RATES * d->blocks > max)
        return;
    gradient(d, d->start, 1, g);
    s->adamw[s->instances] = INFINITY;
    for (int r = 0; r < RATES; r++) {
        double loss = adamw(d, rates[r], adamw_of[task].decay, tasks[task].steps);
        s->adamw[s->instances] = fmin(s->adamw[s->instances], loss);
        for (int b = 0; b < d->blocks; b++) {
            s->lane[s->lanes].instance = (uint8_t)s->instances;
            s->lane[s->lanes].rate = (uint8_t)r;
            s->lane[s->lanes].block = (uint8_t)b;
            ask(d, d->start, g, b, rates[r], 1, &in[s->lanes++]);
        }
    }
    s->instances++;
}

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    static const enum task_name shown[] = {T_QUADRATIC, T_LOGISTIC};
    /* what is cheap is trained from two seeds */
    static const enum task_name scored[] = {
        T_QUADRATIC, T_LOGISTIC, T_ROSENBROCK, T_QUADRATIC, T_LOGISTIC, T_ROSENBROCK, T_FACTORS,
        T_FACTORS, T_MLP, T_DEEP, T_AUTOENCODER,
    };
    static const enum task_name audit[] = {T_SCALED, T_SCALED, T_SCALED, T_LANGUAGE, T_LANGUAGE};
    static const enum task_name *const lists[ELM_SETS] = {shown, scored, audit};
    static const int ends[ELM_SETS][STAGES] = {{2, 2, 2}, {6, 8, 11}, {5, 5, 5}};
    struct state *s = state;
    memset(in, 0, (size_t)max * sizeof(struct in));
    for (int i = 0; i < ends[set][STAGES - 1]; i++)
        add_instance(s, lists[set][i], stream(seed, 100 * (uint64_t)set + (uint64_t)i), max, in);
    for (int k = 0; k < STAGES; k++)
        s->end[k] = ends[set][k] < s->instances ? ends[set][k] : s->instances;
    return s->lanes;
}

/* ---- scores ---- */

static double best_loss(const struct training *of_rates)
{
    double best = INFINITY;
    for (int r = 0; r < RATES; r++) {
        if (of_rates[r].phase == DONE)
            best = fmin(best, of_rates[r].loss);
    }
    return best;
}

/* AdamW's steps to a loss, over the usual number: between the points of its curve. */
static double steps_to(enum task_name task, double loss, double usual)
{
    const double *curve = adamw_of[task].curve;
    double wanted = log(fmax(loss, 1e-300) / usual);
    int k = 0;
    while (k + 2 < POINTS && curve[k + 1] > wanted)
        k++;
    double part = (wanted - curve[k]) / (curve[k + 1] - curve[k]);
    double ratio = pow(2, (k + part) / 2 - 2);
    return ratio > LEAST ? fmin(ratio, MOST) : LEAST;
}

static double ratio_of(const struct state *s, const struct world *w, int i)
{
    double loss = best_loss(w->training[i]);
    return isfinite(loss) ? steps_to(s->instance[i].task, loss, s->adamw[i]) : LEAST;
}

/* Geometric, over the seeds of each task and then over tasks. */
static double mean_ratio(const struct state *s, const struct world *w, int count)
{
    double sum[TASKS] = {0}, all = 0;
    int seeds[TASKS] = {0}, found = 0;
    for (int i = 0; i < count; i++) {
        sum[s->instance[i].task] += log(ratio_of(s, w, i));
        seeds[s->instance[i].task]++;
    }
    for (int k = 0; k < TASKS; k++) {
        all += seeds[k] > 0 ? sum[k] / seeds[k] : 0;
        found += seeds[k] > 0;
    }
    return found > 0 ? exp(all / found) : LEAST;
}

/* ---- rounds ---- */

/* How many rates train on after step t; 0: no one is dropped there. */
static int kept_at(const struct instance *d, int t)
{
    int steps = tasks[d->task].steps;
    return t == steps / 4 ? kept[0] : t == steps / 2 ? kept[1] : 0;
}

/* Takes a step's answer; tells losses when they count. */
static void take_step(const struct instance *d, struct training *t)
{
    int steps = tasks[d->task].steps;
    t->t++;
    if (!sane(t->w, d->weights))
        t->phase = AWAY;
    if (t->phase != RUNNING || (kept_at(d, t->t) == 0 && t->t != steps))
        return;
    t->loss = whole_loss(d, t->w);
    if (t->t == steps)
        t->phase = DONE;
    if (!isfinite(t->loss))
        t->phase = AWAY;
}

/* All but the best end here. Trainings of an instance are at the same step. */
static void drop_slow(const struct instance *d, struct training *of_rates)
{
    for (int r = 0; r < RATES; r++) {
        const struct training *t = &of_rates[r];
        int better = 0;
        if (t->phase != RUNNING || kept_at(d, t->t) == 0)
            continue;
        for (int k = 0; k < RATES; k++) {
            const struct training *o = &of_rates[k];
            better += (o->phase == RUNNING || (o->phase == DROPPED && o->t == t->t)) &&
                      (o->loss < t->loss || (o->loss == t->loss && k < r));
        }
        if (better >= kept_at(d, t->t))
            of_rates[r].phase = DROPPED;
    }
}

static void take_answers(const struct state *s, struct world *w, const struct out *out,
                         const uint8_t *live)
{
    for (int i = 0; i < s->lanes; i++) {
        const struct instance *d = &s->instance[s->lane[i].instance];
        int b = s->lane[i].block;
        if (live[i])
            memcpy(w->training[s->lane[i].instance][s->lane[i].rate].w + d->block[b].at, out[i].w,
                   (size_t)d->block[b].n * sizeof(double));
    }
    for (int i = 0; i < s->instances; i++) {
        for (int r = 0; r < RATES; r++) {
            if (w->training[i][r].phase == RUNNING)
                take_step(&s->instance[i], &w->training[i][r]);
        }
        drop_slow(&s->instance[i], w->training[i]);
    }
}

static void begin(const struct state *s, struct world *w, int first, int end)
{
    for (int i = first; i < end; i++) {
        for (int r = 0; r < RATES; r++) {
            w->training[i][r].phase = RUNNING;
            memcpy(w->training[i][r].w, s->instance[i].start, sizeof(s->instance[i].start));
        }
    }
}

static int running(const struct state *s, const struct world *w)
{
    int count = 0;
    for (int i = 0; i < s->instances; i++) {
        for (int r = 0; r < RATES; r++)
            count += w->training[i][r].phase == RUNNING;
    }
    return count;
}

static int write_questions(const struct state *s, const struct world *w, struct in *in,
                           uint8_t *live)
{
    double g[WEIGHTS];
    int count = 0;
    for (int i = 0; i < s->lanes; i++) {
        const struct instance *d = &s->instance[s->lane[i].instance];
        const struct training *t = &w->training[s->lane[i].instance][s->lane[i].rate];
        count += live[i] = t->phase == RUNNING;
        if (!live[i])
            continue;
        if (s->lane[i].block == 0)
            gradient(d, t->w, t->t + 1, g);
        ask(d, t->w, g, s->lane[i].block, rates[s->lane[i].rate], t->t + 1, &in[i]);
    }
    return count;
}

static int next(const void *state, void *world, int round, int n, const void *out, void *in,
                uint8_t *live)
{
    const struct state *s = state;
    struct world *w = world;
    (void)n;
    if (round == 0)
        begin(s, w, 0, s->end[0]);
    else
        take_answers(s, w, out, live);
    if (running(s, w) == 0 && s->end[w->stage] < s->instances) {
        w->stopped = mean_ratio(s, w, s->end[w->stage]) < PASS;
        if (!w->stopped) {
            w->stage++;
            begin(s, w, s->end[w->stage - 1], s->end[w->stage]);
        }
    }
    return write_questions(s, w, in, live);
}

/* Where among the rates the best one lay, on average: 0 the smallest. */
static double mean_rate(const struct world *w, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        double best = best_loss(w->training[i]);
        int r = 0;
        while (r < RATES - 1 && !(w->training[i][r].phase == DONE &&
                                  w->training[i][r].loss == best))
            r++;
        sum += r;
    }
    return count > 0 ? sum / count : 0;
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    const struct state *s = state;
    const struct world *w = out;
    int count = w->stopped ? s->end[w->stage] : s->instances;
    (void)in;
    (void)cost;
    for (int i = 0; i < count; i++) {
        if (isfinite(best_loss(w->training[i])))
            continue;
        result->invalid = 1;
        snprintf(result->why, sizeof(result->why), "%s runs away at every learning rate",
                 tasks[s->instance[i].task].name);
        return;
    }
    result->fitness = mean_ratio(s, w, count) * (w->stopped ? 0.5 + 0.25 * w->stage : 1);
    result->measures[0] = mean_rate(w, count);
    for (int i = 0; i < n; i++) {
        int k = s->lane[i].instance;
        result->pass[i] = k < count && ratio_of(s, w, k) >= 1;
    }
}

/* A bar a training, to the right where AdamW is left behind; a doubling is 100 wide. */
static size_t picture(const void *state, int n, const void *in, const void *out, char *svg,
                      size_t svg_bytes)
{
    const struct state *s = state;
    const struct world *w = out;
    int count = w->stopped ? s->end[w->stage] : s->instances;
    size_t at = 0;
    (void)n;
    (void)in;
    for (int i = -1; i <= count && at < svg_bytes; i++) {
        char *here = svg + at;
        size_t left = svg_bytes - at;
        if (i < 0) {
            at += (size_t)snprintf(here, left, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                                   "viewBox=\"-560 0 900 %d\" font-size=\"14\">\n", 24 * count);
        } else if (i == count) {
            at += (size_t)snprintf(here, left, "</svg>\n");
        } else {
            double wide = 100 * log2(ratio_of(s, w, i));
            at += (size_t)snprintf(here, left, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
                                   "height=\"20\" fill=\"%s\"/><text x=\"-555\" y=\"%d\">%s"
                                   "</text>\n", fmin(wide, 0), 24 * i + 2, fabs(wide),
                                   wide < 0 ? "#c66" : "#6a6", 24 * i + 16,
                                   tasks[s->instance[i].task].name);
        }
    }
    return at < svg_bytes ? at : 0;
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .state_bytes = sizeof(struct state),
    .world_bytes = sizeof(struct world),
    .make = make,
    .next = next,
    .score = score,
    .picture = picture,
};
