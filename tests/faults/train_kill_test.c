/*
 * train_kill: a training killed with SIGKILL again and again, and gone on with each time, ends with the
 * bytes of an undisturbed one; files that can't grow and damaged checkpoints give errors that say so.
 */
#include "../train_rig.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define KILLS 4

static pid_t start(const struct elm_train_def *def)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct elm_train_stats stats;
    struct elm_error err = {0};
    enum elm_status status = elm_train(def, NULL, NULL, &stats, &err);
    if (status != ELM_OK)
        fprintf(stderr, "%s\n", err.message);
    _exit(status == ELM_OK ? 0 : 1);
}

static int finish(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Breaks twice, whatever machine it runs on, and is well again at half the rate each time: going back must
 * repeat, too. */
static const char rule[] =
    "#include <math.h>\n"
    "void step(int n, double w[272], double g[272], double m[272], int t, double lr)\n{\n"
    "    for (int i = 0; i < n; i++) {\n        m[i] = 0.9 * m[i] + 0.1 * g[i];\n"
    "        w[i] -= lr * m[i] / (fabs(m[i]) + 1e-4);\n    }\n"
    "    if ((t == 501 && lr > 0.002) || (t == 1501 && lr > 0.001))\n        w[0] = 0.0 / 0.0;\n}\n";

static void test_killed(void **state)
{
    struct train_rig r;
    char path[96];
    struct elm_buf a = {0}, b = {0};
    struct elm_rng rng = elm_rng(7, 7);
    uint32_t killed = 0;
    (void)state;
    train_rig_open(&r);
    const char *const data[] = {r.data};
    struct elm_train_def def = rig_scratch(&r, data);
    def.width = 32;
    def.layers = 1;
    def.steps = 2000;
    def.schedule = "constant";
    snprintf(path, sizeof(path), "%s/rule.c", r.folder);
    rig_file(path, rule);
    def.optimizer = path;
    struct elm_train_stats stats = rig_learn(&def);
    assert_true(stats.step == 2000 && stats.rollbacks == 2);
    def.out = r.out;
    def.resume = true;
    def.checkpoint_s = 1;
    for (int status = 1; status != 0;) {
        pid_t pid = start(&def);
        if (killed < KILLS) {
            /* after a checkpoint, most of the times */
            struct timespec wait = {1, (long)elm_rng_below(&rng, 400000000)};
            nanosleep(&wait, NULL);
            kill(pid, SIGKILL);
        }
        status = finish(pid);
        assert_true(status == 0 || status == 128 + SIGKILL);
        killed += status != 0;
    }
    assert_true(killed > 0);
    GIVES(ELM_OK, elm_file_read(r.base, (size_t)1 << 28, &a, ERR));
    GIVES(ELM_OK, elm_file_read(r.out, (size_t)1 << 28, &b, ERR));
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr, b.ptr, a.len);
    elm_buf_release(&a);
    elm_buf_release(&b);
    train_rig_close(&r);
}

static bool stop(void *ctx, const struct elm_train_stats *stats)
{
    (void)ctx, (void)stats;
    return false;
}

/* A checkpoint of a training that would go on. */
static struct elm_train_def begun(const struct train_rig *r, const char *const *data, char path[128])
{
    struct elm_train_stats stats;
    struct elm_train_def def = rig_scratch(r, data);
    def.steps = 1000000;
    snprintf(path, 128, "%s.checkpoint", r->base);
    GIVES(ELM_STOPPED, elm_train(&def, stop, NULL, &stats, ERR));
    def.resume = true;
    return def;
}

static void refused(const struct elm_train_def *def, enum elm_status wanted, const char *word)
{
    struct elm_train_stats stats;
    struct elm_error err = {0};
    enum elm_status status = elm_train(def, stop, NULL, &stats, &err);
    if (status != wanted || strstr(err.message, word) == NULL)
        fail_msg("%d, '%s' (wanted '%s')", status, err.message, word);
}

static void test_damaged(void **state)
{
    struct train_rig r;
    struct elm_buf whole = {0}, copy = {0};
    struct elm_rng rng = elm_rng(1, 2);
    char path[128];
    (void)state;
    train_rig_open(&r);
    const char *const data[] = {r.data};
    struct elm_train_def def = begun(&r, data, path);
    GIVES(ELM_OK, elm_file_read(path, (size_t)1 << 28, &whole, ERR));
    for (int i = 0; i < 12; i++) {
        elm_buf_clear(&copy);
        elm_buf_add(&copy, whole.ptr, i % 2 == 0 ? elm_rng_below(&rng, (uint32_t)whole.len) : whole.len);
        if (i % 2 == 1)
            copy.ptr[64 + elm_rng_below(&rng, (uint32_t)whole.len - 64)] ^= 0x10;
        GIVES(ELM_OK, elm_file_write(path, elm_buf_str(&copy), ERR));
        refused(&def, ELM_CORRUPT, "delete it to begin anew");
    }
    whole.ptr[8] = 9;
    GIVES(ELM_OK, elm_file_write(path, elm_buf_str(&whole), ERR));
    refused(&def, ELM_VERSION_TOO_NEW, "version 9");
    elm_buf_release(&whole);
    elm_buf_release(&copy);
    train_rig_close(&r);
}

/* The old checkpoint stays when a new one does not fit. */
static void test_no_room(void **state)
{
    struct train_rig r;
    struct elm_buf before = {0}, after = {0};
    char path[128];
    (void)state;
    train_rig_open(&r);
    const char *const data[] = {r.data};
    struct elm_train_def def = begun(&r, data, path);
    GIVES(ELM_OK, elm_file_read(path, (size_t)1 << 28, &before, ERR));
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit most = {20000, 20000};
        struct elm_train_stats stats;
        struct elm_error err = {0};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &most);
        enum elm_status status = elm_train(&def, stop, NULL, &stats, &err);
        _exit(status == ELM_IO && strstr(err.message, "cannot write the checkpoint") != NULL ? 0 : 1);
    }
    assert_int_equal(finish(pid), 0);
    GIVES(ELM_OK, elm_file_read(path, (size_t)1 << 28, &after, ERR));
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.ptr, after.ptr, before.len);
    elm_buf_release(&before);
    elm_buf_release(&after);
    train_rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
