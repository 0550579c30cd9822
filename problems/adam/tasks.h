/*
 * tasks: the models that adam trains, their made-up data and their gradients, by hand;
 * tests/unit/adam_test.c compares each with differences. Everything is a function of (task, seed),
 * and the batch of step t also of t, so that every update rule sees the same batches.
 */
#ifndef ADAM_TASKS_H
#define ADAM_TASKS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CALL 272               /* elements a call at most: as in problem.yaml */
#define B 8                    /* of a batch */
#define WEIGHTS 4224           /* of a training at most */
#define DATA 256               /* examples at most */
#define WIDE 64                /* of a layer at most */
#define LAYERS 9
#define BLOCKS 24

#define SIDE 64                /* QUADRATIC */
#define ROSE 8
#define ROSE_SCALE 20
#define ROWS 40                /* FACTORS */
#define COLS 32
#define RANK 6
#define ENTRIES 24             /* of a batch */
#define FACTOR_SCALE 16
#define HIDDEN 32              /* RECURRENT */
#define SIGNS 8
#define LENGTH 8
#define GATE (HIDDEN + SIGNS + 1)

/* one number of each example of a batch */
typedef double batch __attribute__((vector_size(B * sizeof(double))));

/* Of p[i] * q[i] over the batch. */
static double total(const batch *p, const batch *q)
{
    batch r = *p * *q;
    return ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
}

/* ---- random numbers: all of a stream that begins with (seed, what) ---- */

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t stream(uint64_t seed, uint64_t what)
{
    uint64_t s = seed * 0x9e3779b97f4a7c15u ^ what * 0xd1342543de82ef95u;
    return draw(&s);
}

static double unit(uint64_t *s)
{
    return (double)(draw(s) >> 11) * 0x1p-53;
}

static double normal(uint64_t *s)
{
    double u = 1 - unit(s);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * unit(s));
}

static int below(uint64_t *s, int n)
{
    return (int)(draw(s) % (uint64_t)n);
}

/* ---- tasks ---- */

enum task_kind { QUADRATIC, ROSENBROCK, NET, RECURRENT, FACTORS };
enum task_name {
    T_QUADRATIC, T_ROSENBROCK, T_LOGISTIC, T_MLP, T_SCALED, T_DEEP, T_AUTOENCODER, T_LANGUAGE,
    T_FACTORS, TASKS,
};
enum loss { SQUARES, SOFT, SAMPLED /* labels are drawn from the probabilities */ };

struct task {
    const char *name;
    enum task_kind kind;
    int steps;
    int layers, sizes[LAYERS + 1];     /* NET */
    enum loss loss;
    int examples;
    int is_tanh;                       /* NET: else rectified */
};

/* A training's data: what a seed made of a task. */
struct instance {
    enum task_name task;
    uint64_t seed;
    int weights, blocks;
    struct {
        int at, n;
    } block[BLOCKS];
    double size;                            /* weights are given out so many times as large */
    double start[WEIGHTS];
    double x[DATA][WIDE], y[DATA][WIDE];    /* NET: inputs, targets */
    double scale[LAYERS];                   /* NET: a layer's weights are scale * w */
    double spread[SIDE];                    /* QUADRATIC: eigenvalues */
};

static const struct task tasks[TASKS] = {
    [T_QUADRATIC] = {.name = "quadratic", .kind = QUADRATIC, .steps = 200},
    [T_ROSENBROCK] = {.name = "rosenbrock", .kind = ROSENBROCK, .steps = 250},
    [T_LOGISTIC] = {.name = "logistic", .kind = NET, .steps = 150, .layers = 1, .sizes = {32, 2},
                    .loss = SAMPLED, .examples = 256},
    [T_MLP] = {.name = "mlp", .kind = NET, .steps = 120, .layers = 3, .sizes = {16, 32, 32, 4},
               .loss = SOFT, .examples = 256},
    [T_SCALED] = {.name = "scaled mlp", .kind = NET, .steps = 140, .layers = 3,
                  .sizes = {16, 32, 32, 4}, .loss = SOFT, .examples = 256},
    [T_DEEP] = {.name = "deep tanh", .kind = NET, .steps = 100, .layers = 9,
                .sizes = {16, 16, 16, 16, 16, 16, 16, 16, 16, 1}, .loss = SQUARES,
                .examples = 128, .is_tanh = 1},
    [T_AUTOENCODER] = {.name = "autoencoder", .kind = NET, .steps = 120, .layers = 2,
                       .sizes = {64, 16, 64}, .loss = SQUARES, .examples = 128, .is_tanh = 1},
    [T_LANGUAGE] = {.name = "language", .kind = RECURRENT, .steps = 140},
    [T_FACTORS] = {.name = "factors", .kind = FACTORS, .steps = 150},
};

/* ---- quadratic: eigenvalues from 1 to 1e-4 in directions of no axis, noise as in batches ---- */

/* Two reflections: the same twice in the other order is the inverse. x[0], x[1]: unit vectors. */
static void reflect(const struct instance *d, int k, double *v)
{
    double along = 0;
    for (int i = 0; i < SIDE; i++)
        along += d->x[k][i] * v[i];
    for (int i = 0; i < SIDE; i++)
        v[i] -= 2 * along * d->x[k][i];
}

static void make_quadratic(struct instance *d, uint64_t s)
{
    for (int k = 0; k < 2; k++) {
        double length = 0;
        for (int i = 0; i < SIDE; i++) {
            d->x[k][i] = normal(&s);
            length += d->x[k][i] * d->x[k][i];
        }
        for (int i = 0; i < SIDE; i++)
            d->x[k][i] /= sqrt(length);
    }
    for (int i = 0; i < SIDE; i++) {
        d->y[0][i] = 0.3 * normal(&s);
        d->spread[i] = pow(10, -4.0 * i / (SIDE - 1));
        d->start[i] = 0;
    }
}

static double quadratic(const struct instance *d, const double *w, uint64_t *s, double *g)
{
    double v[SIDE], f = 0;
    for (int i = 0; i < SIDE; i++)
        v[i] = w[i] - d->y[0][i];
    reflect(d, 0, v);
    reflect(d, 1, v);
    for (int i = 0; i < SIDE; i++) {
        double noise = s != NULL ? 0.1 * sqrt(d->spread[i]) * (unit(s) - 0.5) : 0;
        f += d->spread[i] * v[i] * v[i] / 2 + noise * v[i];
        v[i] = d->spread[i] * v[i] + noise;
    }
    reflect(d, 1, v);
    reflect(d, 0, v);
    for (int i = 0; i < SIDE && g != NULL; i++)
        g[i] = v[i];
    return f;
}

/* ---- rosenbrock ---- */

static double rosenbrock(const double *w, double *g)
{
    double f = 0;
    if (g != NULL)
        memset(g, 0, ROSE * sizeof(*g));
    for (int i = 0; i + 1 < ROSE; i++) {
        double x = ROSE_SCALE * w[i], a = ROSE_SCALE * w[i + 1] - x * x, b = 1 - x;
        f += 100 * a * a + b * b;
        if (g != NULL) {
            g[i] += ROSE_SCALE * (-400 * a * x - 2 * b);
            g[i + 1] += ROSE_SCALE * 200 * a;
        }
    }
    return f;
}

/* ---- nets of dense layers; a layer's weights are rows of inputs and a bias ---- */

static double squash(double x, int is_tanh)
{
    return is_tanh ? tanh(x) : x > 0 ? x : 0;
}

static int layer_at(const struct task *t, int layer)
{
    int at = 0;
    for (int l = 0; l < layer; l++)
        at += t->sizes[l + 1] * (t->sizes[l] + 1);
    return at;
}

/* a[l]: what goes into layer l; a[layers]: what comes out. */
static void forward(const struct instance *d, const double *w, batch a[LAYERS + 1][WIDE])
{
    const struct task *t = &tasks[d->task];
    for (int l = 0; l < t->layers; l++) {
        int n = t->sizes[l];
        for (int o = 0; o < t->sizes[l + 1]; o++, w += n + 1) {
            batch z = {0};
            z += w[n];
            for (int i = 0; i < n; i++)
                z += w[i] * a[l][i];
            z *= d->scale[l];
            for (int b = 0; b < B && l + 1 < t->layers; b++)
                z[b] = squash(z[b], t->is_tanh);
            a[l + 1][o] = z;
        }
    }
}

/* From the error at the outputs, in e[layers]; leaves the gradient in g, if wanted. */
static void backward(const struct instance *d, const double *w, batch a[LAYERS + 1][WIDE],
                     batch e[LAYERS + 1][WIDE], double *g)
{
    const struct task *t = &tasks[d->task];
    for (int l = t->layers - 1; l >= 0; l--) {
        int n = t->sizes[l], at = layer_at(t, l);
        memset(e[l], 0, sizeof(e[l]));
        for (int o = 0; o < t->sizes[l + 1]; o++, at += n + 1) {
            batch z = e[l + 1][o] * d->scale[l];
            double sum = 0;
            for (int b = 0; b < B; b++) {
                if (l + 1 < t->layers)
                    z[b] *= t->is_tanh ? 1 - a[l + 1][o][b] * a[l + 1][o][b] : a[l + 1][o][b] > 0;
                sum += z[b];
            }
            g[at + n] = sum;
            for (int i = 0; i < n; i++) {
                g[at + i] = total(&z, &a[l][i]);
                e[l][i] += z * w[at + i];
            }
        }
    }
}

/* Loss of one example and the error of its outputs: squares, or the divergence from the target's
 * probabilities, or from the label, where one was drawn; else -1. */
static double output_loss(const struct instance *d, int example, int b, int drawn,
                          const batch *out, batch *e)
{
    const struct task *t = &tasks[d->task];
    int n = t->sizes[t->layers];
    const double *y = d->y[example];
    double f = 0, most = out[0][b], sum = 0;
    for (int o = 0; o < n && t->loss == SQUARES; o++) {
        e[o][b] = out[o][b] - y[o];
        f += e[o][b] * e[o][b] / 2;
    }
    if (t->loss == SQUARES)
        return f;
    for (int o = 1; o < n; o++)
        most = out[o][b] > most ? out[o][b] : most;
    for (int o = 0; o < n; o++)
        sum += exp(out[o][b] - most);
    for (int o = 0; o < n; o++) {
        double p = exp(out[o][b] - most) / sum, want = drawn >= 0 ? o == drawn : y[o];
        e[o][b] = p - want;
        if (want > 0)
            f += want * (log(want) - (out[o][b] - most - log(sum)));
    }
    return f;
}

static int draw_label(const double *y, int n, uint64_t *s)
{
    double u = unit(s);
    for (int o = 0; o < n - 1; o++) {
        u -= y[o];
        if (u < 0)
            return o;
    }
    return n - 1;
}

/* Mean loss and gradient over eight examples: those of a stream; without one, from `first` on. */
static double net(const struct instance *d, const double *w, uint64_t *s, int first, double *g)
{
    static const int no_label = -1;
    const struct task *t = &tasks[d->task];
    batch a[LAYERS + 1][WIDE], e[LAYERS + 1][WIDE];
    int example[B], label[B], out = t->sizes[t->layers];
    double f = 0;
    for (int b = 0; b < B; b++) {
        example[b] = s != NULL ? below(s, t->examples) : first + b;
        label[b] = s != NULL && t->loss == SAMPLED ? draw_label(d->y[example[b]], out, s)
                                                   : no_label;
        for (int i = 0; i < t->sizes[0]; i++)
            a[0][i][b] = d->x[example[b]][i];
    }
    forward(d, w, a);
    for (int b = 0; b < B; b++)
        f += output_loss(d, example[b], b, label[b], a[t->layers], e[t->layers]) / B;
    if (g == NULL)
        return f;
    for (int o = 0; o < out; o++)
        e[t->layers][o] /= B;
    backward(d, w, a, e, g);
    return f;
}

/* ---- language: signs of an automaton whose state the past tells; a gated recurrent layer ---- */

/* x[state]: probabilities of the signs, y[state]: where each leads. */
static void make_language(struct instance *d, uint64_t s)
{
    for (int q = 0; q < SIGNS; q++) {
        double sum = 0;
        for (int k = 0; k < SIGNS; k++) {
            double u = unit(&s);
            d->x[q][k] = 0.01 + (u < 0.4 ? u : 0);
            sum += d->x[q][k];
            d->y[q][k] = below(&s, SIGNS);
        }
        for (int k = 0; k < SIGNS; k++)
            d->x[q][k] /= sum;
    }
    for (int i = 0; i < d->weights; i++)
        d->start[i] = normal(&s) / sqrt(HIDDEN);
}

/* What the layer computed at one sign. */
struct moment {
    batch in[GATE], held[HIDDEN];      /* the past, the sign before, 1; the past through r */
    batch z[HIDDEN], r[HIDDEN], c[HIDDEN], h[HIDDEN];
    int state[B], sign[B];
};

static void gate(const double *w, const batch *in, int is_tanh, batch *out)
{
    for (int o = 0; o < HIDDEN; o++, w += GATE) {
        batch a = {0};
        for (int i = 0; i < GATE; i++)
            a += w[i] * in[i];
        for (int b = 0; b < B; b++)
            out[o][b] = is_tanh ? tanh(a[b]) : 1 / (1 + exp(-a[b]));
    }
}

static void think(const double *w, struct moment *m)
{
    batch in[GATE];
    gate(w, m->in, 0, m->z);
    gate(w + HIDDEN * GATE, m->in, 0, m->r);
    memcpy(in, m->in, sizeof(in));
    for (int i = 0; i < HIDDEN; i++)
        in[i] = m->held[i] = m->r[i] * m->in[i];
    gate(w + 2 * HIDDEN * GATE, in, 1, m->c);
    for (int i = 0; i < HIDDEN; i++)
        m->h[i] = (1 - m->z[i]) * m->in[i] + m->z[i] * m->c[i];
}

/* e: error at the gate before its function; adds to the gradients of weights and inputs. */
static void gate_back(const double *w, const batch *in, const batch *e, double *g, batch *e_in)
{
    for (int o = 0; o < HIDDEN; o++, w += GATE, g += GATE) {
        for (int i = 0; i < GATE; i++) {
            g[i] += total(&e[o], &in[i]);
            e_in[i] += w[i] * e[o];
        }
    }
}

/* e: error at h; becomes that at the past. */
static void think_back(const double *w, const struct moment *m, double *g, batch *e)
{
    batch ez[HIDDEN], er[HIDDEN], ec[HIDDEN], past[GATE] = {{0}}, held[GATE] = {{0}}, in[GATE];
    memcpy(in, m->in, sizeof(in));
    memcpy(in, m->held, sizeof(m->held));
    for (int i = 0; i < HIDDEN; i++) {
        ez[i] = e[i] * (m->c[i] - m->in[i]) * m->z[i] * (1 - m->z[i]);
        ec[i] = e[i] * m->z[i] * (1 - m->c[i] * m->c[i]);
        past[i] = e[i] * (1 - m->z[i]);
    }
    gate_back(w + 2 * HIDDEN * GATE, in, ec, g + 2 * HIDDEN * GATE, held);
    for (int i = 0; i < HIDDEN; i++) {
        er[i] = held[i] * m->in[i] * m->r[i] * (1 - m->r[i]);
        past[i] += held[i] * m->r[i];
    }
    gate_back(w, m->in, ez, g, past);
    gate_back(w + HIDDEN * GATE, m->in, er, g + HIDDEN * GATE, past);
    memcpy(e, past, HIDDEN * sizeof(e[0]));
}

/* Loss at one moment, and the error at its h. Drawn signs teach; without a gradient the loss is the
 * divergence from the probabilities that they are drawn with. */
static double say(const struct instance *d, const double *w, const struct moment *m, double *g,
                  batch *e)
{
    const double *out = w + 3 * HIDDEN * GATE;
    double f = 0;
    batch logit[SIGNS], most = {0}, sum = {0};
    for (int k = 0; k < SIGNS; k++) {
        logit[k] = (batch){0} + out[k * (HIDDEN + 1) + HIDDEN];
        for (int i = 0; i < HIDDEN; i++)
            logit[k] += out[k * (HIDDEN + 1) + i] * m->h[i];
    }
    for (int b = 0; b < B; b++) {
        most[b] = logit[0][b];
        for (int k = 1; k < SIGNS; k++)
            most[b] = fmax(most[b], logit[k][b]);
        for (int k = 0; k < SIGNS; k++)
            sum[b] += exp(logit[k][b] - most[b]);
    }
    for (int k = 0; k < SIGNS; k++) {
        batch p;
        for (int b = 0; b < B; b++) {
            double right = d->x[m->state[b]][k], at = logit[k][b] - most[b] - log(sum[b]);
            int drawn = m->sign[b] == k;
            f += g != NULL ? -drawn * at : right * (log(right) - at);
            p[b] = (exp(at) - drawn) / (B * LENGTH);
        }
        for (int i = 0; i < HIDDEN && g != NULL; i++) {
            g[3 * HIDDEN * GATE + k * (HIDDEN + 1) + i] += total(&p, &m->h[i]);
            e[i] += out[k * (HIDDEN + 1) + i] * p;
        }
        for (int b = 0; b < B && g != NULL; b++)
            g[3 * HIDDEN * GATE + k * (HIDDEN + 1) + HIDDEN] += p[b];
    }
    return f / (B * LENGTH);
}

static double language(const struct instance *d, const double *w, uint64_t s, double *g)
{
    struct moment m[LENGTH];
    batch e[LENGTH][HIDDEN] = {{{0}}}, back[HIDDEN] = {{0}};
    double f = 0;
    memset(m, 0, sizeof(m));
    if (g != NULL)
        memset(g, 0, (size_t)d->weights * sizeof(*g));
    for (int t = 0; t < LENGTH; t++) {
        m[t].in[GATE - 1] += 1.0;
        for (int b = 0; b < B; b++) {
            m[t].state[b] = t == 0 ? 0 : (int)d->y[m[t - 1].state[b]][m[t - 1].sign[b]];
            m[t].sign[b] = draw_label(d->x[m[t].state[b]], SIGNS, &s);
            if (t > 0)
                m[t].in[HIDDEN + m[t - 1].sign[b]][b] = 1;
        }
        if (t > 0)
            memcpy(m[t].in, m[t - 1].h, sizeof(m[t].h));
        think(w, &m[t]);
        f += say(d, w, &m[t], g, e[t]);
    }
    for (int t = LENGTH - 1; t >= 0 && g != NULL; t--) {
        for (int i = 0; i < HIDDEN; i++)
            back[i] += e[t][i];
        think_back(w, &m[t], g, back);
    }
    return f;
}

/* ---- factors: a table of known rank from a few of its entries at a time ---- */

static void make_factors(struct instance *d, uint64_t s)
{
    for (int k = 0; k < RANK; k++) {
        double size = pow(0.7, k);
        for (int i = 0; i < ROWS; i++)
            d->x[i][k] = size * normal(&s);
        for (int j = 0; j < COLS; j++)
            d->y[j][k] = normal(&s);
    }
    for (int i = 0; i < d->weights; i++)
        d->start[i] = 0.16 * normal(&s);
}

static double miss(const struct instance *d, const double *u, const double *v, int i, int j)
{
    double r = 0;
    for (int k = 0; k < RANK; k++)
        r += FACTOR_SCALE * u[k] * v[k] - d->x[i][k] * d->y[j][k];
    return r;
}

static double factors(const struct instance *d, const double *w, uint64_t *s, double *g)
{
    const double *v = w + ROWS * RANK;
    double f = 0;
    for (int i = 0; i < ROWS && s == NULL; i++) {
        for (int j = 0; j < COLS; j++) {
            double r = miss(d, w + i * RANK, v + j * RANK, i, j);
            f += r * r / (2 * ROWS * COLS);
        }
    }
    if (s == NULL)
        return f;
    memset(g, 0, (size_t)d->weights * sizeof(*g));
    for (int e = 0; e < ENTRIES; e++) {
        int i = below(s, ROWS), j = below(s, COLS);
        double r = miss(d, w + i * RANK, v + j * RANK, i, j);
        f += r * r / (2 * ENTRIES);
        for (int k = 0; k < RANK; k++) {
            g[i * RANK + k] += FACTOR_SCALE * r * v[j * RANK + k] / ENTRIES;
            g[(ROWS + j) * RANK + k] += FACTOR_SCALE * r * w[i * RANK + k] / ENTRIES;
        }
    }
    return f;
}

/* ---- any task ---- */

static void unscale(const struct instance *d, const double *w, double *own)
{
    for (int i = 0; i < d->weights; i++)
        own[i] = w[i] / d->size;
}

/* The loss that a step's batch shows, and its gradient. */
static double gradient(const struct instance *d, const double *w, int t, double *g)
{
    uint64_t s = stream(d->seed, 1000 + (uint64_t)t);
    double own[WEIGHTS], f;
    unscale(d, w, own);
    switch (tasks[d->task].kind) {
    case QUADRATIC: f = quadratic(d, own, &s, g); break;
    case ROSENBROCK: f = rosenbrock(own, g); break;
    case NET: f = net(d, own, &s, 0, g); break;
    case RECURRENT: f = language(d, own, s, g); break;
    default: f = factors(d, own, &s, g); break;
    }
    for (int i = 0; i < d->weights; i++)
        g[i] /= d->size;
    return f;
}

/* The loss that counts: without noise, over all examples. */
static double whole_loss(const struct instance *d, const double *w)
{
    const struct task *t = &tasks[d->task];
    double own[WEIGHTS], f = 0;
    unscale(d, w, own);
    switch (t->kind) {
    case QUADRATIC: return quadratic(d, own, NULL, NULL);
    case ROSENBROCK: return rosenbrock(own, NULL);
    case NET:
        for (int first = 0; first < t->examples; first += B)
            f += net(d, own, NULL, first, NULL) * B / t->examples;
        return f;
    case RECURRENT:
        for (int k = 0; k < 8; k++)
            f += language(d, own, stream(d->seed, 10 + (uint64_t)k), NULL) / 8;
        return f;
    default: return factors(d, own, NULL, NULL);
    }
}

/* ---- instances ---- */

/* Blocks of whole rows, as many as fit a call. */
static void add_tensor(struct instance *d, int rows, int columns)
{
    int fit = CALL / columns;
    for (int r = 0; r < rows; r += fit) {
        int n = (rows - r < fit ? rows - r : fit) * columns;
        d->block[d->blocks].at = d->weights;
        d->block[d->blocks++].n = n;
        d->weights += n;
    }
}

static void lay_out(struct instance *d)
{
    const struct task *t = &tasks[d->task];
    d->weights = d->blocks = 0;
    switch (t->kind) {
    case QUADRATIC: add_tensor(d, SIDE, 1); break;
    case ROSENBROCK: add_tensor(d, ROSE, 1); break;
    case NET:
        for (int l = 0; l < t->layers; l++)
            add_tensor(d, t->sizes[l + 1], t->sizes[l] + 1);
        break;
    case RECURRENT:
        for (int k = 0; k < 3; k++)
            add_tensor(d, HIDDEN, GATE);
        add_tensor(d, SIGNS, HIDDEN + 1);
        break;
    default:
        add_tensor(d, ROWS, RANK);
        add_tensor(d, COLS, RANK);
        break;
    }
}

/* Random weights of a net's usual size. */
static void draw_net(const struct task *t, double size, uint64_t *s, double *w)
{
    for (int l = 0; l < t->layers; l++) {
        double spread = size / sqrt(t->sizes[l]);
        for (int o = 0; o < t->sizes[l + 1]; o++, w += t->sizes[l] + 1) {
            for (int i = 0; i < t->sizes[l]; i++)
                w[i] = spread * normal(s);
            w[t->sizes[l]] = 0;
        }
    }
}

/* Inputs of unequal size; targets of another net of the same shape, as probabilities. */
static void teach(struct instance *d, uint64_t *s)
{
    const struct task *t = &tasks[d->task];
    double teacher[WEIGHTS], size[WIDE];
    batch a[LAYERS + 1][WIDE];
    int out = t->sizes[t->layers];
    draw_net(t, t->layers == 1 ? 1.5 : 2, s, teacher);
    for (int i = 0; i < t->sizes[0]; i++)
        size[i] = t->layers == 1 ? pow(10, unit(s) - 0.7) : 1;
    for (int x = 0; x < t->examples; x++) {
        for (int i = 0; i < t->sizes[0]; i++)
            d->x[x][i] = size[i] * normal(s);
    }
    for (int x = 0; x < t->examples; x++) {
        double sum = 0;
        for (int i = 0; i < t->sizes[0]; i++)
            a[0][i] = (batch){0} + d->x[x][i];
        forward(d, teacher, a);
        for (int o = 0; o < out; o++)
            sum += d->y[x][o] = exp(a[t->layers][o][0]);
        for (int o = 0; o < out; o++)
            d->y[x][o] /= sum;
    }
}

/* Pictures of 8 x 8 made of a few soft spots, with noise; wanted without. */
static void make_pictures(struct instance *d, uint64_t *s)
{
    double spot[10][WIDE];
    for (int k = 0; k < 10; k++) {
        double x = 7 * unit(s), y = 7 * unit(s), wide = 1 + 2 * unit(s);
        for (int i = 0; i < WIDE; i++) {
            double dx = i % 8 - x, dy = i / 8 - y;
            spot[k][i] = exp(-(dx * dx + dy * dy) / (2 * wide));
        }
    }
    for (int e = 0; e < tasks[d->task].examples; e++) {
        memset(d->y[e], 0, sizeof(d->y[e]));
        for (int k = 0; k < 10; k++) {
            double bright = normal(s);
            for (int i = 0; i < WIDE; i++)
                d->y[e][i] += bright * spot[k][i];
        }
        for (int i = 0; i < WIDE; i++)
            d->x[e][i] = d->y[e][i] + 0.1 * normal(s);
    }
}

/* A bent function of two directions. */
static void make_curve(struct instance *d, uint64_t *s)
{
    const struct task *t = &tasks[d->task];
    double u[2][WIDE];
    for (int i = 0; i < t->sizes[0]; i++) {
        u[0][i] = normal(s) / sqrt(t->sizes[0]);
        u[1][i] = normal(s) / sqrt(t->sizes[0]);
    }
    for (int e = 0; e < t->examples; e++) {
        double a = 0, b = 0;
        for (int i = 0; i < t->sizes[0]; i++) {
            d->x[e][i] = normal(s);
            a += u[0][i] * d->x[e][i];
            b += u[1][i] * d->x[e][i];
        }
        d->y[e][0] = sin(a) + a * b / 2;
    }
}

static void make_net(struct instance *d, uint64_t s)
{
    const struct task *t = &tasks[d->task];
    for (int l = 0; l < LAYERS; l++)
        d->scale[l] = 1;
    if (t->loss != SQUARES)
        teach(d, &s);
    else if (d->task == T_AUTOENCODER)
        make_pictures(d, &s);
    else
        make_curve(d, &s);
    draw_net(t, t->is_tanh ? 1 : 1.4, &s, d->start);
    for (int l = 0; l < t->layers && d->task == T_SCALED; l++) {
        d->scale[l] = pow(10, 4 * unit(&s) - 2);
        for (int i = layer_at(t, l); i < layer_at(t, l + 1); i++)
            d->start[i] /= d->scale[l];
    }
}

static void make_instance(struct instance *d, enum task_name task, uint64_t seed)
{
    d->task = task;
    d->seed = stream(seed, (uint64_t)task);
    lay_out(d);
    uint64_t s = stream(d->seed, 1);
    switch (tasks[task].kind) {
    case QUADRATIC: make_quadratic(d, s); break;
    case ROSENBROCK:
        for (int i = 0; i < ROSE; i++)
            d->start[i] = 0.3 * normal(&s) / ROSE_SCALE;
        break;
    case NET: make_net(d, s); break;
    case RECURRENT: make_language(d, s); break;
    default: make_factors(d, s); break;
    }
    /* so that no fixed multiple of the learning rate suits all */
    d->size = pow(3, 2 * unit(&s) - 1);
    for (int i = 0; i < d->weights; i++)
        d->start[i] *= d->size;
}

#endif
