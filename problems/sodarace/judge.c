/*
 * sodarace: how far a walker gets in twenty seconds, from sixteen starts that differ a little in
 * place, height and speed (physics.h is the world). Fitness is the mean displacement of its centre
 * of mass, to whichever side, from where it has settled: who goes left from one start and right
 * from another gets nowhere. After Lehman et al. 2022, section 4, with their limits: ten muscles a
 * joint, swings of at most 0.3 of the length, joints some way apart.
 *
 * The terrain is the last digit of case_seed: 0 flat, 1 a wall to the left, 2 one to the right,
 * 3 bumpy, 4 tunnel.
 */
#include "elm/judge.h"
#include "physics.h"

#include <math.h>
#include <stdio.h>

#define SETTLE_S 2
#define WALK_S 20
#define FRAMES_ALL ((SETTLE_S + WALK_S) * FRAMES_PER_S)
#define CHECK_FRAMES 30               /* how often a walker that broke is noticed */
#define MUSCLES_A_JOINT 10
#define SWING_MAX 0.3                 /* of the length at rest */
#define APART 0.01
#define SIZE_MAX_UNITS 24.0
#define JITTER 0.05                   /* of a start: units, and units a second */
#define DROP 0.25

struct in {
    int64_t unused;
};
struct out {
    double joint[JOINTS][2];
    int32_t muscle[SPRINGS][2];
    double wave[SPRINGS][2];          /* amplitude, phase in turns */
    int32_t count[2];                 /* joints, muscles */
};

struct state {
    struct course course;
    float x[JOINTS][LANES], y[JOINTS][LANES];      /* what a start adds */
    float u[LANES], v[LANES], drop[LANES];
};

struct walker {
    struct body body;
    double width, height, mass;
};

/* ---- starts ---- */

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static float draw_within(uint64_t *s, double most)
{
    return (float)(most * ((double)(draw(s) >> 11) * 0x1p-52 - 1));
}

/* A turn of the cosine by turning a pointer on: no libm, no two machines that differ. */
static void make_wave(float wave[PERIOD])
{
    const double by_x = 0.99998117528260114, by_y = 0.0061358846491544754;
    double x = 1, y = 0;
    for (int i = 0; i < PERIOD; i++) {
        double turned = x * by_x - y * by_y;
        wave[i] = (float)x;
        y = x * by_y + y * by_x;
        x = turned;
    }
}

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    struct state *s = state;
    uint64_t drawn = seed * ELM_SETS + set;
    memset(in, 0, sizeof(struct in));
    s->course.terrain = (enum terrain)(seed % 10 < TERRAINS ? seed % 10 : FLAT);
    s->course.settle = SETTLE_S * FRAMES_PER_S;
    s->course.ramp = FRAMES_PER_S;
    make_wave(s->course.wave);
    for (int l = 0; l < LANES; l++) {
        s->u[l] = draw_within(&drawn, JITTER);
        s->v[l] = draw_within(&drawn, JITTER);
        s->drop[l] = (float)(DROP / 2) + draw_within(&drawn, DROP / 2);
        for (int i = 0; i < JOINTS; i++) {
            s->x[i][l] = draw_within(&drawn, JITTER);
            s->y[i][l] = draw_within(&drawn, JITTER);
        }
    }
    return max < 1 ? 0 : 1;
}

/* ---- from an answer to a walker ---- */

static double length_of(const struct out *o, int a, int b)
{
    double x = o->joint[b][0] - o->joint[a][0], y = o->joint[b][1] - o->joint[a][1];
    return sqrt(x * x + y * y);
}

/* Puts it on the ground, in the middle. */
static const char *place_joints(const struct out *o, struct walker *w)
{
    int n = o->count[0];
    double left = INFINITY, right = -INFINITY, low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) {
        if (!isfinite(o->joint[i][0]) || !isfinite(o->joint[i][1]))
            return "a joint is nowhere";
        left = fmin(left, o->joint[i][0]);
        right = fmax(right, o->joint[i][0]);
        low = fmin(low, o->joint[i][1]);
        high = fmax(high, o->joint[i][1]);
    }
    if (!(right - left <= SIZE_MAX_UNITS) || !(high - low <= SIZE_MAX_UNITS))
        return "wider or higher than 24";
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            if (length_of(o, i, j) < APART)
                return "two joints in one place";
        }
        w->body.x[i] = (float)(o->joint[i][0] - left - (right - left) / 2);
        w->body.y[i] = (float)(o->joint[i][1] - low);
    }
    w->body.joints = n;
    w->width = right - left;
    w->height = high - low;
    return NULL;
}

static void add_spring(const struct out *o, int k, struct walker *w)
{
    struct body *b = &w->body;
    int from = o->muscle[k][0], to = o->muscle[k][1], at = b->springs++;
    double length = length_of(o, from, to), most = SWING_MAX * length;
    double turn = o->wave[k][1] - floor(o->wave[k][1]);
    b->a[at] = (uint8_t)from;
    b->b[at] = (uint8_t)to;
    b->rest[at] = (float)length;
    b->amplitude[at] = (float)fmax(-most, fmin(o->wave[k][0], most));
    b->phase[at] = (int)(turn * PERIOD) & (PERIOD - 1);
    w->mass += length / 2;
}

/* A pair is joined once, by the first that joins it, and no joint to itself: those are left out. */
static int joins(const struct out *o, int k, uint8_t joined[JOINTS][JOINTS])
{
    int a = o->muscle[k][0], b = o->muscle[k][1];
    if (a == b || joined[a][b])
        return 0;
    joined[a][b] = joined[b][a] = 1;
    return 1;
}

static const char *place_springs(const struct out *o, struct walker *w)
{
    uint8_t joined[JOINTS][JOINTS] = {{0}}, swings[SPRINGS], at_joint[JOINTS] = {0};
    for (int k = 0; k < o->count[1]; k++) {
        int a = o->muscle[k][0], b = o->muscle[k][1];
        if (a < 0 || a >= o->count[0] || b < 0 || b >= o->count[0])
            return "a muscle at a joint that isn't there";
        if (!isfinite(o->wave[k][0]) || !isfinite(o->wave[k][1]))
            return "a muscle without amplitude or phase";
        swings[k] = !joins(o, k, joined) ? 2 : o->wave[k][0] != 0;
        if (swings[k] < 2 && (++at_joint[a] > MUSCLES_A_JOINT || ++at_joint[b] > MUSCLES_A_JOINT))
            return "more than 10 muscles at a joint";
    }
    for (int swing = 0; swing < 2; swing++) {
        for (int k = 0; k < o->count[1]; k++) {
            if (swings[k] == swing)
                add_spring(o, k, w);
        }
        if (swing == 0)
            w->body.bones = w->body.springs;
    }
    return NULL;
}

/* NULL, or why it is none. */
static const char *build(const struct out *o, struct walker *w)
{
    memset(w, 0, sizeof(*w));
    if (o->count[0] < 1 || o->count[0] > JOINTS)
        return "1 to 48 joints are allowed";
    if (o->count[1] < 0 || o->count[1] > SPRINGS)
        return "0 to 192 muscles are allowed";
    const char *why = place_joints(o, w);
    w->mass = o->count[0];
    return why != NULL ? why : place_springs(o, w);
}

/* ---- the walk ---- */

static void start(const struct state *s, const struct body *b, struct flock *f)
{
    memset(f, 0, sizeof(*f));
    for (int l = 0; l < LANES; l++) {
        for (int i = 0; i < b->joints; i++) {
            float y = b->y[i] + s->y[i][l] + s->drop[l];
            f->x[i][l] = b->x[i] + s->x[i][l];
            f->y[i][l] = y > 0 ? y : 0;
            f->u[i][l] = s->u[l];
            f->v[i][l] = s->v[l];
        }
    }
}

static double centre(const struct body *b, const struct flock *f, int lane)
{
    double sum = 0;
    for (int i = 0; i < b->joints; i++)
        sum += f->x[i][lane];
    return sum / b->joints;
}

/* How deep a point is in the ground, a wall or a block. */
static float depth(enum terrain terrain, const struct body *b, const struct flock *f)
{
    float most = 0;
    for (int i = 0; i < b->joints; i++) {
        for (int l = 0; l < LANES; l++) {
            float x = f->x[i][l], y = f->y[i][l], slope;
            float in = terrain == LEFT_WALL ? -x - WALL : terrain == RIGHT_WALL ? x - WALL
                       : terrain == TUNNEL ? fminf(fabsf(x) - WALL, y - CEILING) : 0;
            most = fmaxf(most, fmaxf(ground_at(terrain, x, &slope) - y, in));
        }
    }
    return most;
}

static int is_broken(const struct flock *f)
{
    int any = 0;
    for (int l = 0; l < LANES; l++)
        any |= f->broken[l];
    return any != 0;
}

/* The mean way of its centre from where it settled; NULL, or what it did against nature. */
static const char *walk(const struct state *s, const struct body *b, double *way)
{
    struct flock f;
    double from[LANES] = {0};
    start(s, b, &f);
    for (int k = 0; k < FRAMES_ALL; k += CHECK_FRAMES) {
        if (k == s->course.settle) {
            for (int l = 0; l < LANES; l++)
                from[l] = centre(b, &f, l);
        }
        run_frames(b, &s->course, &f, k, k + CHECK_FRAMES);
        if (is_broken(&f))
            return "flies apart: a joint moves faster than 160 units a second";
        if (depth(s->course.terrain, b, &f) > 1e-3f)
            return "sinks into the ground";
    }
    *way = 0;
    for (int l = 0; l < LANES; l++)
        *way += (centre(b, &f, l) - from[l]) / LANES;
    return NULL;
}

static void score(const void *state, int n, const void *in, const void *out,
                  const struct elm_cost *cost, struct elm_result *result)
{
    struct walker w;
    double way = 0;
    (void)n;
    (void)in;
    (void)cost;
    const char *why = build(out, &w);
    if (why == NULL)
        why = walk(state, &w.body, &way);
    if (why != NULL) {
        result->invalid = 1;
        snprintf(result->why, sizeof(result->why), "%s", why);
        return;
    }
    result->fitness = fabs(way);
    result->pass[0] = 1;
    result->measures[0] = w.height;
    result->measures[1] = w.width;
    result->measures[2] = w.mass;
}

static void explain(const void *state, const void *in, const void *out, char *text,
                    size_t text_bytes)
{
    struct walker w;
    (void)state;
    (void)in;
    const char *why = build(out, &w);
    if (why != NULL)
        snprintf(text, text_bytes, "%s", why);
    else
        snprintf(text, text_bytes, "%d joints, %d bones, %d muscles: %.3g high, %.3g wide",
                 w.body.joints, w.body.bones, w.body.springs - w.body.bones, w.height, w.width);
}

#include "picture.h"

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .state_bytes = sizeof(struct state),
    .make = make,
    .score = score,
    .explain = explain,
    .picture = picture,
};
