/*
 * sodarace: the physics of problems/sodarace gives the same bits for every width of vectors, keeps
 * what nature keeps, and its judge takes walkers apart that are none.
 */
#include "../../problems/sodarace/judge.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct state still;         /* all starts as the body was built */

static void make_still(enum terrain terrain)
{
    struct in in;
    make(&still, ELM_SET_SCORED, terrain, 1, &in);
    memset(still.x, 0, sizeof(still.x));
    memset(still.y, 0, sizeof(still.y));
    memset(still.u, 0, sizeof(still.u));
    memset(still.v, 0, sizeof(still.v));
    memset(still.drop, 0, sizeof(still.drop));
}

static int joint(struct out *o, double x, double y)
{
    o->joint[o->count[0]][0] = x;
    o->joint[o->count[0]][1] = y;
    return o->count[0]++;
}

static void muscle(struct out *o, int a, int b, double amplitude, double phase)
{
    int k = o->count[1]++;
    o->muscle[k][0] = a;
    o->muscle[k][1] = b;
    o->wave[k][0] = amplitude;
    o->wave[k][1] = phase;
}

static struct out square(void)
{
    static const double corner[4][2] = {{0, 0}, {0, 10}, {10, 10}, {10, 0}};
    struct out o = {0};
    for (int i = 0; i < 4; i++)
        joint(&o, corner[i][0], corner[i][1]);
    joint(&o, 5, 5);
    for (int i = 0; i < 4; i++)
        muscle(&o, i, (i + 1) % 4, 0, 0);
    for (int i = 0; i < 4; i++)
        muscle(&o, i, 4, i == 3 ? 0 : 5 + i, 0);
    return o;
}

/* Joints anywhere in a box, each joined to some before it. */
static struct out anything(uint64_t seed, int joints, double size, double amplitude)
{
    struct out o = {0};
    uint8_t degree[JOINTS] = {0};
    uint64_t s = seed;
    for (int i = 0; i < joints; i++) {
        joint(&o, size / 2 + (double)draw_within(&s, size / 2),
              size / 2 + (double)draw_within(&s, size / 2));
        for (int k = 0; k < 5 && i > 0; k++) {
            int to = (int)(draw(&s) % (uint64_t)i);
            if (degree[i] == MUSCLES_A_JOINT || degree[to] == MUSCLES_A_JOINT ||
                o.count[1] == SPRINGS)
                continue;
            degree[i]++;
            degree[to]++;
            muscle(&o, i, to, draw(&s) % 3 == 0 ? 0 : amplitude, (double)draw_within(&s, 1));
        }
    }
    return o;
}

static struct elm_result judged(enum elm_set set, uint64_t seed, const struct out *o)
{
    static struct state s;
    struct in in;
    struct elm_result r = {0};
    struct elm_cost cost = {0};
    make(&s, set, seed, 1, &in);
    score(&s, 1, &in, o, &cost, &r);
    return r;
}

static struct body body_of(const struct out *o)
{
    struct walker w;
    const char *why = build(o, &w);
    if (why != NULL)
        fail_msg("%s", why);
    return w.body;
}

/* ---- physics ---- */

static void test_widths(void **state)
{
    (void)state;
    static struct flock plain, wide;
    static struct state s;
    struct in in;
    for (int terrain = 0; terrain < TERRAINS; terrain++) {
        struct out o = anything((uint64_t)terrain, 20, 15, 3);
        struct body b = body_of(&o);
        make(&s, ELM_SET_SCORED, (uint64_t)terrain, 1, &in);
        start(&s, &b, &plain);
        wide = plain;
        frames_plain(&b, &s.course, &plain, 0, 900);
        run_frames(&b, &s.course, &wide, 0, 900);
        assert_memory_equal(&plain, &wide, sizeof(plain));
#if defined(__x86_64__)
        if (!__builtin_cpu_supports("avx2"))
            continue;
        start(&s, &b, &wide);
        frames_avx2(&b, &s.course, &wide, 0, 900);
        assert_memory_equal(&plain, &wide, sizeof(plain));
#endif
    }
}

static void test_inverse_root(void **state)
{
    (void)state;
    for (double q = 1e-9; q < 1e6; q *= 1.01) {
        double r = (double)inverse_root_plain(all_of_plain((float)q))[0];
        assert_true(fabs(r * sqrt((double)(float)q) - 1) < 1.1e-4);
    }
}

/* Of one lane: of motion, height and springs. */
static double energy(const struct body *b, const struct flock *f)
{
    double sum = 0;
    for (int i = 0; i < b->joints; i++) {
        double u = (double)f->u[i][0], v = (double)f->v[i][0];
        sum += (u * u + v * v) / 2 + (double)GRAVITY * (double)f->y[i][0];
    }
    for (int i = 0; i < b->springs; i++) {
        double x = (double)(f->x[b->b[i]][0] - f->x[b->a[i]][0]);
        double y = (double)(f->y[b->b[i]][0] - f->y[b->a[i]][0]);
        double over = sqrt(x * x + y * y) - (double)b->rest[i];
        sum += (double)(STIFFNESS / SUBSTEP_S) * over * over / 2;
    }
    return sum;
}

/* What has no muscles only loses energy, wherever it falls. */
static void test_energy(void **state)
{
    (void)state;
    for (int k = 0; k < 40; k++) {
        struct out o = anything(100 + (uint64_t)k, 4 + k, 5 + k % 20, 0);
        struct body b = body_of(&o);
        struct flock f;
        make_still((enum terrain)(k % TERRAINS));
        start(&still, &b, &f);
        for (int i = 0; i < b.joints; i++) {
            f.y[i][0] += 5;
            f.u[i][0] += (float)(k % 7 - 3);
        }
        double before = energy(&b, &f), first = before;
        for (int t = 0; t < 600; t += 5) {
            run_frames(&b, &still.course, &f, t, t + 5);
            double now = energy(&b, &f);
            if (!(now <= before + 1e-3 * first))
                fail_msg("body %d: energy %g after %d frames, %g before", k, now, t + 5, before);
            before = now;
        }
        assert_true(before < first);
    }
}

/* A mirrored walker walks mirrored, to the last bit. */
static void test_mirror(void **state)
{
    (void)state;
    make_still(FLAT);
    struct out o = anything(7, 12, 12, 2);
    struct body b = body_of(&o), mirrored = b;
    for (int i = 0; i < b.joints; i++)
        mirrored.x[i] = -b.x[i];
    double way, back;
    assert_null(walk(&still, &b, &way));
    assert_null(walk(&still, &mirrored, &back));
    assert_true(way == -back && fabs(way) > 0.1);
}

/* What is its own mirror stays where it is. */
static void test_symmetric(void **state)
{
    (void)state;
    make_still(FLAT);
    struct out o = {0};
    joint(&o, -3, 0);
    joint(&o, 3, 0);
    joint(&o, 0, 4);
    muscle(&o, 0, 2, 1, 0.2);
    muscle(&o, 1, 2, 1, 0.2);
    muscle(&o, 0, 1, 1, 0.7);
    struct body b = body_of(&o);
    double way;
    assert_null(walk(&still, &b, &way));
    assert_true(fabs(way) < 0.01);
}

static void test_wave(void **state)
{
    (void)state;
    make_still(FLAT);
    for (int i = 0; i < PERIOD; i++)
        assert_true(fabs((double)still.course.wave[i] - cos(2 * M_PI * i / PERIOD)) < 1e-6);
}

/* ---- terrains ---- */

/* Where the points of a body go that is thrown at it, in the first lane. */
static void throw_at(enum terrain terrain, float speed, struct flock *f)
{
    struct out o = square();
    struct body b = body_of(&o);
    make_still(terrain);
    start(&still, &b, f);
    for (int t = 0; t < 300; t += 5) {
        for (int i = 0; i < b.joints; i++)
            f->u[i][0] += speed / 10;
        run_frames(&b, &still.course, f, t, t + 5);
        assert_false(is_broken(f));
        assert_true(depth(terrain, &b, f) < 1e-3f);
    }
}

static void test_terrains(void **state)
{
    (void)state;
    struct flock f;
    throw_at(FLAT, 20, &f);
    assert_true(f.x[0][0] > 40);
    throw_at(FLAT, -20, &f);
    assert_true(f.x[0][0] < -40);
    throw_at(LEFT_WALL, -20, &f);
    assert_true(f.x[0][0] >= -WALL && f.x[0][0] < 0);
    throw_at(LEFT_WALL, 20, &f);
    assert_true(f.x[0][0] > 40);
    throw_at(RIGHT_WALL, 20, &f);
    assert_true(f.x[0][0] <= WALL && f.x[0][0] > 0);
    throw_at(BUMPY, 20, &f);
    assert_true(f.x[0][0] > PAD);
    throw_at(TUNNEL, 4, &f);
    assert_true(f.x[1][0] <= WALL || f.y[1][0] <= CEILING);
}

static void test_bumps(void **state)
{
    (void)state;
    float top = 0;
    for (int i = -4000; i < 4000; i++) {
        float slope, next, x = (float)i / 32;
        float here = ground_at(BUMPY, x, &slope), there = ground_at(BUMPY, x + 0.01f, &next);
        assert_true(fabsf((there - here) / 0.01f - (slope + next) / 2) < 1e-2f);
        assert_true(here >= 0 && (fabsf(x) > PAD || here == 0));
        top = fmaxf(top, here);
    }
    assert_true(fabsf(top - BUMP_HEIGHT) < 0.01f);
}

/* ---- the judge ---- */

static void test_repeats(void **state)
{
    (void)state;
    struct out o = square();
    struct elm_result one = judged(ELM_SET_SCORED, 10, &o), two = judged(ELM_SET_SCORED, 10, &o);
    struct elm_result fresh = judged(ELM_SET_AUDIT, 10, &o);
    assert_memory_equal(&one, &two, sizeof(one));
    assert_true(one.fitness != fresh.fitness);
    assert_true(one.fitness > 5 && fabs(one.fitness - fresh.fitness) < 0.3 * one.fitness);
    assert_true(one.measures[0] == 10 && one.measures[1] == 10);
    assert_true(fabs(one.measures[2] - (5 + 20 + 4 * sqrt(50) / 2)) < 1e-9);
}

static void refused(const struct out *o, const char *why)
{
    struct elm_result r = judged(ELM_SET_SCORED, 10, o);
    if (!r.invalid || strcmp(r.why, why) != 0)
        fail_msg("'%s' where '%s' is right", r.invalid ? r.why : "valid", why);
}

static void test_refused(void **state)
{
    (void)state;
    static const char none[] = "1 to 48 joints are allowed", no_joint[] = "a muscle at a joint "
                      "that isn't there", nowhere[] = "a joint is nowhere";
    static const double bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    static const int32_t joints[] = {0, -1, JOINTS + 1, 1000000, INT32_MAX, INT32_MIN};
    static const int32_t muscles[] = {-1, SPRINGS + 1, 1000000, INT32_MAX, INT32_MIN};
    static const int32_t ends[] = {-1, 5, 48, 1000000, INT32_MAX, INT32_MIN};
    struct out o;
    for (int i = 0; i < 4; i++) {
        o = square();
        o.joint[i][i % 2] = bad[i];
        refused(&o, nowhere);
        o = square();
        o.wave[i + 4][i % 2] = bad[i];
        refused(&o, "a muscle without amplitude or phase");
    }
    for (int i = 0; i < 6; i++) {
        o = square();
        o.count[0] = joints[i];
        refused(&o, none);
        o = square();
        o.muscle[3][i % 2] = ends[i];
        refused(&o, no_joint);
    }
    for (int i = 0; i < 5; i++) {
        o = square();
        o.count[1] = muscles[i];
        refused(&o, "0 to 192 muscles are allowed");
    }
    o = square();
    o.joint[2][0] = 1e300;
    refused(&o, "wider or higher than 24");
    o.joint[2][0] = 24.1;
    refused(&o, "wider or higher than 24");
    o = square();
    o.joint[4][0] = o.joint[4][1] = 0.005;
    refused(&o, "two joints in one place");
}

static void test_crowded(void **state)
{
    (void)state;
    struct out o = {0};
    joint(&o, 0, 0);
    for (int i = 1; i <= MUSCLES_A_JOINT + 1; i++)
        muscle(&o, 0, joint(&o, i, i % 3), 0, 0);
    refused(&o, "more than 10 muscles at a joint");
    o.count[1]--;
    assert_false(judged(ELM_SET_SCORED, 10, &o).invalid);
}

/* What is odd but allowed. */
static void test_allowed(void **state)
{
    (void)state;
    struct out one = {0}, o = square(), again = square();
    joint(&one, 1e308, -1e308);
    struct elm_result r = judged(ELM_SET_SCORED, 10, &one);
    assert_true(!r.invalid && r.fitness < 0.5 && r.measures[2] == 1);
    struct elm_result plain = judged(ELM_SET_SCORED, 10, &o);
    muscle(&again, 2, 2, 9, 9);
    muscle(&again, 1, 0, 9, 9);
    r = judged(ELM_SET_SCORED, 10, &again);
    assert_memory_equal(&plain, &r, sizeof(r));
    o.wave[4][0] = -1e300;
    o.wave[5][1] = 1e300;
    o.wave[6][1] = -1e-300;
    assert_false(judged(ELM_SET_SCORED, 10, &o).invalid);
}

/* Nothing that may be built breaks the world, however dense, small or strong. */
static void test_strong(void **state)
{
    (void)state;
    for (int k = 0; k < 30; k++) {
        struct out o = anything(1000 + (uint64_t)k, 8 + k, k % 3 == 0 ? 3 : 24, 100);
        struct elm_result r = judged(ELM_SET_SCORED, (uint64_t)k, &o);
        if (r.invalid)
            fail_msg("walker %d: %s", k, r.why);
        assert_true(isfinite(r.fitness));
    }
}

static void test_picture(void **state)
{
    (void)state;
    static char svg[1 << 20];
    static struct state s;
    struct in in;
    struct out o = square();
    for (int terrain = 0; terrain < TERRAINS; terrain++) {
        make(&s, ELM_SET_SHOWN, (uint64_t)terrain, 1, &in);
        size_t bytes = picture(&s, 1, &in, &o, svg, sizeof(svg));
        assert_true(bytes > 1000 && bytes < sizeof(svg));
        assert_memory_equal(svg, "<svg ", 5);
        assert_memory_equal(svg + bytes - 7, "</svg>\n", 7);
        assert_non_null(strstr(svg, "<animate "));
        assert_null(strstr(svg, "nan"));
        assert_true(picture(&s, 1, &in, &o, svg, bytes) == 0);
    }
    o.count[0] = 0;
    assert_true(picture(&s, 1, &in, &o, svg, sizeof(svg)) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths), cmocka_unit_test(test_inverse_root),
        cmocka_unit_test(test_energy), cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_symmetric), cmocka_unit_test(test_wave),
        cmocka_unit_test(test_terrains), cmocka_unit_test(test_bumps),
        cmocka_unit_test(test_repeats), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_crowded), cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_strong), cmocka_unit_test(test_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
