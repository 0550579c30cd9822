/* train: what a training with more than one thread promises. */
#include "../train_rig.h"

/* enough of them for two stops, which come a second apart */
#ifdef __SANITIZE_THREAD__
#define STEPS 200
#else
#define STEPS 900
#endif
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

static int open_rig(void **state)
{
    static struct train_rig rig;
    train_rig_open(&rig);
    *state = &rig;
    return 0;
}

static int close_rig(void **state)
{
    train_rig_close(*state);
    return 0;
}

static void read_all(const char *path, struct elm_buf *out)
{
    elm_buf_clear(out);
    GIVES(ELM_OK, elm_file_read(path, (size_t)1 << 28, out, ERR));
}

static void assert_same_files(const char *a, const char *b, bool same)
{
    struct elm_buf x = {0}, y = {0};
    read_all(a, &x);
    read_all(b, &y);
    assert_int_equal(x.len == y.len && memcmp(x.ptr, y.ptr, x.len) == 0, same);
    elm_buf_release(&x);
    elm_buf_release(&y);
}

static bool stop_at_once(void *ctx, const struct elm_train_stats *stats)
{
    (void)stats;
    ++*(int *)ctx;
    return false;
}

/* Stopped and gone on with: the bytes of an undisturbed training. */
static void test_stop_and_resume(void **state)
{
    const struct train_rig r = *(struct train_rig *)*state;
    struct elm_train_stats stats;
    struct elm_error err = {0};
    char checkpoint[128], other[96];
    int ticks = 0;
    snprintf(checkpoint, sizeof(checkpoint), "%s.checkpoint", r.out);
    snprintf(other, sizeof(other), "%s/other.gguf", r.folder);
    const char *const data[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, data);
    def.steps = STEPS;
    def.optimizer = "lion";
    def.rate = 3e-4f;
    rig_learn(&def);
    def.out = r.out;
    def.threads = 2;
    int stops = 0;
    for (enum elm_status status = ELM_STOPPED; status == ELM_STOPPED; stops++) {
        status = elm_train(&def, stop_at_once, &ticks, &stats, &err);
        assert_true(status == ELM_OK || status == ELM_STOPPED);
        assert_int_equal(access(checkpoint, F_OK) == 0, status == ELM_STOPPED);
        def.resume = true;
    }
    assert_int_equal(ticks, stops);
    assert_true(stops >= 2);
    assert_same_files(r.base, r.out, true);
    def.seed = 4;
    def.out = other;
    rig_learn(&def);
    assert_same_files(r.out, other, false);
}

/* An update rule in a file: its steps are Adam's, in doubles. */
static const char adam[] =
    "#include <math.h>\n"
    "void step(int n, double w[50], double g[50], double m[50], double v[50], int t, double lr)\n{\n"
    "    double c1 = 1.0 - pow(0.9, t);\n    double c2 = 1.0 - pow(0.95, t);\n"
    "    for (int i = 0; i < n; i++) {\n        m[i] = 0.9 * m[i] + (1.0 - 0.9) * g[i];\n"
    "        v[i] = 0.95 * v[i] + (1.0 - 0.95) * g[i] * g[i];\n"
    "        w[i] -= lr * (m[i] / c1) / (sqrt(v[i] / c2) + 1e-08);\n    }\n}\n";

static void test_rule(void **state)
{
    const struct train_rig r = *(struct train_rig *)*state;
    char rule[96], other[96];
    const char *const data[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, data);
    snprintf(rule, sizeof(rule), "%s/rule.c", r.folder);
    snprintf(other, sizeof(other), "%s/other.gguf", r.folder);
    rig_file(rule, adam);
    def.options.decay = 0.1f;
    def.steps = 20;
    const double built_in = rig_learn(&def).loss;
    def.optimizer = rule;
    def.out = r.out;
    assert_true(fabs(rig_learn(&def).loss - built_in) < 1e-3);
    def.threads = 3;
    def.out = other;
    rig_learn(&def);
    assert_same_files(r.out, other, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stop_and_resume), TEST(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
