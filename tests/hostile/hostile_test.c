/*
 * hostile: every candidate of candidates.txt through the real path (compiler cage, runner cage,
 * judge cage) at each level that this machine has. None is rewarded, each gets its expected
 * status, and honest candidates before, between and after score as ever.
 */
#include "caps.h"
#include "elm/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ATTACKS_MAX 256
#define CASES 16
#define N 8

struct attack {
    char name[64];
    uint32_t allowed;      /* bit per enum elm_eval_status */
    char *source;
};

struct fixture {
    struct elm_keeper *keeper;
    struct elm_problem *problem;
    char *judge;
    char folder[64];
    struct elm_evaluator *evaluator;
    struct elm_sandbox_report report;
    struct attack attacks[ATTACKS_MAX];
    uint32_t count;
    char *prelude;
    int level, complaints;
};

static const char problem_yaml[] =
    "summary: doubles and adds one; answered only by honest candidates\n"
    "entry: \"void f(int n, int in[8], int out[8])\"\n"
    "io: {out: out}\n"
    "runner: tcc\n"
    "cases: {shown: 16, scored: 16, audit: 16}\n"
    "limits: {cpu_ms: 200, memory_mb: 64}\n";

static const char judge_source[] =
    "#include \"elm/judge.h\"\n"
    "struct in { int n; int in[8]; int unused; };\n"
    "struct out { int out[8]; };\n"
    "static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{\n"
    "    struct in *c = in;\n"
    "    (void)state;\n"
    "    for (int i = 0; i < max; i++) {\n"
    "        c[i].n = 8;\n"
    "        for (int k = 0; k < 8; k++)\n"
    "            c[i].in[k] = 1000 + (int)(seed % 97) + 131 * i + 17 * k + 5000 * (int)set;\n"
    "    }\n"
    "    return max;\n"
    "}\n"
    "static void score(const void *state, int n, const void *in, const void *out,\n"
    "                  const struct elm_cost *cost, struct elm_result *r)\n"
    "{\n"
    "    const struct in *c = in;\n"
    "    const struct out *o = out;\n"
    "    (void)state;\n"
    "    (void)cost;\n"
    "    for (int i = 0; i < n; i++) {\n"
    "        int good = 1;\n"
    "        for (int k = 0; k < 8; k++)\n"
    "            good &= o[i].out[k] == 2 * c[i].in[k] + 1;\n"
    "        r->pass[i] = (uint8_t)good;\n"
    "        r->fitness += good;\n"
    "    }\n"
    "}\n"
    "const struct elm_judge elm_judge = {.version = ELM_JUDGE_VERSION, .in_bytes = sizeof(struct in),\n"
    "    .out_bytes = sizeof(struct out), .state_bytes = 8, .make = make, .score = score};\n";

/* feels the rounding mode, denormals, x87 and the direction flag; right only when all are sane */
static const char honest[] =
    "static double third(double x) { return x / 3.0; }\n"
    "void f(int n, int *in, int *out)\n"
    "{\n"
    "    volatile double tiny = 1e-310, a = 0.1, b = 0.2;\n"
    "    volatile long double wide = 1.0L;\n"
    "    int sane = tiny * 0.5 > 0.0 && a + b == 0.30000000000000004 && third(1.0) == 0.33333333333333331;\n"
    "    sane = sane && wide / 3.0L != (long double)(1.0 / 3.0);\n"
    "    for (int i = 0; i < n; i++)\n"
    "        out[i] = 2 * in[i] + sane;\n"
    "}\n";

static uint32_t parse_statuses(const char *text)
{
    uint32_t allowed = 0;
    char word[64];
    for (int used = 0; sscanf(text, " %63s%n", word, &used) == 1; text += used) {
        bool known = false;
        for (int s = 0; s < ELM_EVAL_STATUSES; s++) {
            if (strcmp(word, elm_eval_status_name((enum elm_eval_status)s)) == 0) {
                allowed |= 1u << s;
                known = true;
            }
        }
        if (!known) {
            fprintf(stderr, "candidates.txt: no status '%s'\n", word);
            exit(2);
        }
    }
    return allowed;
}

static void add_attack(struct fixture *x, const char *name, const char *statuses, char *source)
{
    assert_true(x->count < ATTACKS_MAX);
    struct attack *a = &x->attacks[x->count++];
    snprintf(a->name, sizeof(a->name), "%s", name);
    a->allowed = parse_statuses(statuses);
    a->source = source;
}

static void read_attacks(struct fixture *x, const char *path)
{
    struct elm_buf all = {0};
    struct elm_error err = {0};
    if (elm_file_read(path, 1 << 20, &all, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(2);
    }
    for (char *at = strstr(all.ptr, "\n== "); at != NULL;) {
        char name[64], statuses[128];
        char *line = at + 4, *body = strchr(line, '\n') + 1;
        *(body - 1) = '\0';
        char *colon = strchr(line, ':');
        snprintf(name, sizeof(name), "%.*s", (int)(colon - line), line);
        snprintf(statuses, sizeof(statuses), "%s", colon + 1);
        char *next = strstr(body, "\n== ");
        size_t len = next != NULL ? (size_t)(next - body) + 1 : strlen(body);
        if (strcmp(name, "prelude") == 0) {
            x->prelude = elm_strndup(body, len);
        } else {
            struct elm_buf source = {0};
            elm_buf_printf(&source, "%s%.*s", x->prelude, (int)len, body);
            add_attack(x, name, statuses, source.ptr);
        }
        at = next;
    }
    elm_buf_release(&all);
}

static void generate_attacks(struct fixture *x)
{
    const char *entry = "void f(int n, int *in, int *out) { for (int i = 0; i < n; i++) "
                        "out[i] = ";
    struct elm_buf b = {0};
    elm_buf_printf(&b, "#define a0 1+1\n");
    for (int i = 1; i < 20; i++)
        elm_buf_printf(&b, "#define a%d a%d+a%d+a%d+a%d\n", i, i - 1, i - 1, i - 1, i - 1);
    elm_buf_printf(&b, "%sa19; }\n", entry);
    add_attack(x, "macro_bomb", "timeout memory build-failed", b.ptr);

    b = (struct elm_buf){0};
    elm_buf_printf(&b, "%s", entry);
    for (int i = 0; i < 120000; i++)
        elm_buf_byte(&b, '(');
    add_attack(x, "parentheses_bomb", "build-failed timeout memory crashed", b.ptr);

    b = (struct elm_buf){0};
    elm_buf_printf(&b, "%s", "void f(int n, int *in, int *out) ");
    for (int i = 0; i < 120000; i++)
        elm_buf_byte(&b, '{');
    add_attack(x, "braces_bomb", "build-failed timeout memory crashed", b.ptr);

    b = (struct elm_buf){0};
    elm_buf_printf(&b, "int ");
    for (int i = 0; i < 120000; i++)
        elm_buf_byte(&b, '*');
    elm_buf_printf(&b, "p; void f(int n, int *in, int *out) { out[0] = 1; }");
    add_attack(x, "pointer_bomb", "build-failed timeout memory crashed ok", b.ptr);

    b = (struct elm_buf){0};
    for (int i = 0; i < 300000; i++)
        elm_buf_printf(&b, "static int v%d = %d;\n", i, i);
    elm_buf_printf(&b, "%s1; }\n", entry);
    add_attack(x, "huge_source", "too-large build-failed timeout", b.ptr);

    b = (struct elm_buf){0};
    elm_buf_printf(&b, "%s1; }\n/*", entry);
    while (b.len < (200u << 10))
        elm_buf_byte(&b, '\n');
    add_attack(x, "long_comment", "build-failed", b.ptr);

    add_attack(x, "empty", "build-failed", elm_strdup(" "));
    add_attack(x, "binary", "build-failed", elm_strdup("\x7f" "ELF\x02\x01\x01\xff\xfe\xfd"));
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    struct elm_error err = {0};
    if (elm_file_write(path, elm_str(text), &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(2);
    }
}

static struct elm_job run_one(struct fixture *x, const char *source)
{
    struct elm_error err = {0};
    struct elm_job job = {.text = elm_str(source)};
    if (elm_evaluator_run(x->evaluator, &job, 1, ELM_SET_SCORED, ELM_TIER_FAST, &err) != ELM_OK)
        fail_msg("the evaluator gave up: %s", err.message);
    return job;
}

/* Says what went wrong and goes on: the whole list is worth more than its first failure. */
static void __attribute__((format(printf, 2, 3))) complain(struct fixture *x, const char *format,
                                                            ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    print_error("level %d: %s\n", x->level, text);
    x->complaints++;
}

static void check_honest(struct fixture *x, const struct elm_evaluation *e, const char *after)
{
    if (e->status != ELM_EVAL_OK || e->fitness != CASES)
        complain(x, "with or after %s an honest candidate got %s (%s), fitness %g", after,
                 elm_eval_status_name(e->status), e->why, e->fitness);
}

static void check_attack(struct fixture *x, const struct attack *a, const struct elm_evaluation *e)
{
    if ((a->allowed & 1u << e->status) == 0)
        complain(x, "%s got %s (%s), fitness %g", a->name, elm_eval_status_name(e->status), e->why,
                 e->fitness);
    if (e->status == ELM_EVAL_OK && e->fitness > 0)
        complain(x, "%s was rewarded: fitness %g", a->name, e->fitness);
    if (strstr(e->why, "root:") != NULL || strstr(e->why, "ELM_SECRET_VALUE") != NULL)
        complain(x, "%s leaks through its message: %s", a->name, e->why);
}

static void run_honest(struct fixture *x, const char *after)
{
    struct elm_job job = run_one(x, honest);
    check_honest(x, &job.evaluation, after);
}

static void storm(struct fixture *x)
{
    /* attacks and honest candidates in the same batches */
    for (uint32_t first = 0; first < x->count; first += ELM_JOBS_MAX / 2) {
        struct elm_job jobs[ELM_JOBS_MAX];
        uint32_t count = 0;
        for (uint32_t i = first; i < x->count && count < ELM_JOBS_MAX; i++) {
            jobs[count++] = (struct elm_job){.text = elm_str(x->attacks[i].source)};
            jobs[count++] = (struct elm_job){.text = elm_str(honest)};
        }
        struct elm_error err = {0};
        assert_int_equal(elm_evaluator_run(x->evaluator, jobs, count, ELM_SET_SCORED,
                                           ELM_TIER_FAST, &err), ELM_OK);
        for (uint32_t i = 0; i < count; i += 2) {
            const struct attack *a = &x->attacks[first + i / 2];
            check_attack(x, a, &jobs[i].evaluation);
            check_honest(x, &jobs[i + 1].evaluation, a->name);
        }
    }
}

static void run_level(struct fixture *x, int level)
{
    if (x->report.level < level) {
        print_message("level %d is not to be had here: %s\n", level, x->report.note);
        skip();
    }
    x->level = level;
    x->complaints = 0;
    struct elm_error err = {0};
    struct elm_evaluator_def def = {.keeper = x->keeper, .problem = x->problem,
                                    .judge_path = x->judge, .level = level, .force_tcc = true};
    if (elm_evaluator_open(&def, &x->evaluator, &err) != ELM_OK)
        fail_msg("%s", err.message);
    run_honest(x, "nothing");
    for (uint32_t i = 0; i < x->count; i++) {
        struct elm_job job = run_one(x, x->attacks[i].source);
        check_attack(x, &x->attacks[i], &job.evaluation);
        run_honest(x, x->attacks[i].name);
    }
    storm(x);
    for (int i = 0; i < 100; i++)
        run_honest(x, "all of them");
    elm_evaluator_close(x->evaluator);
    x->evaluator = NULL;
    assert_int_equal(x->complaints, 0);
}

static void hostile_level_3(void **state)
{
    run_level(*state, 3);
}

static void hostile_level_2(void **state)
{
    run_level(*state, 2);
}

static int set_up(void **state)
{
    struct fixture *x = elm_calloc(1, sizeof(*x));
    struct elm_error err = {0};
    if (elm_keeper_open(&x->keeper, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    snprintf(x->folder, sizeof(x->folder), "/tmp/elm-hostile-XXXXXX");
    if (mkdtemp(x->folder) == NULL)
        return 1;
    write_file(x->folder, "problem.yaml", problem_yaml);
    write_file(x->folder, "judge.c", judge_source);
    write_file(x->folder, "seed.c", honest);
    write_file(x->folder, "description.md", "Doubles and adds one.\n");
    if (elm_problem_load(x->folder, NULL, &x->problem, &err) != ELM_OK ||
        elm_judge_build(x->problem, x->folder, &x->judge, &err) != ELM_OK ||
        elm_sandbox_probe(x->keeper, &x->report, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    read_attacks(x, "tests/hostile/candidates.txt");
    generate_attacks(x);
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    for (uint32_t i = 0; i < x->count; i++)
        free(x->attacks[i].source);
    free(x->prelude);
    elm_problem_free(x->problem);
    free(x->judge);
    elm_keeper_close(x->keeper);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", x->folder);
    int status = system(command);
    free(x);
    return status;
}

static int body(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_level_3),
        cmocka_unit_test(hostile_level_2),
    };
    return cmocka_run_group_tests_name("hostile", tests, set_up, tear_down);
}

int main(void)
{
    /* planted where a leak would find it */
    setenv("ELM_SECRET", "ELM_SECRET_VALUE", 1);
    return caps_run(body, 600);
}
