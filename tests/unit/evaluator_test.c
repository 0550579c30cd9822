/*
 * evaluator: programs through the real cages with a judge compiled here: statuses, levels, tiers,
 * comparison, evidence, pictures, cages killed from outside.
 */
#include "elm/sandbox.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CASES 16

/* f(a, b) = a * b + 1, and a table of squares of a */
static const char score_judge[] =
    "#include \"elm/judge.h\"\n#include <stdio.h>\n#include <string.h>\n"
    "struct in { int a, b; };\n"
    "struct out { double value; int square[4]; };\n"
    "static int make(void *s, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{ struct in *c = in; (void)s; for (int i = 0; i < max; i++) {\n"
    "  c[i].a = i + 1 + (int)set; c[i].b = (int)seed + i; } return max; }\n"
    "static int right(const struct in *c, const struct out *o)\n"
    "{ return o->value == (double)c->a * c->b + 1 && o->square[1] == c->a * c->a; }\n"
    "static void score(const void *s, int n, const void *in, const void *out,\n"
    "                  const struct elm_cost *cost, struct elm_result *r)\n"
    "{ const struct in *c = in; const struct out *o = out; (void)s; double sum = 0;\n"
    "  for (int i = 0; i < n; i++) sum += r->pass[i] = right(&c[i], &o[i]);\n"
    "  if (o[0].value == -5) { r->invalid = 1; strcpy(r->why, \"minus five\"); }\n"
    "  if (o[0].value == -6) *(volatile int *)0 = 0;\n"
    "  r->fitness = o[0].value == -7 ? 0.0 / 0.0 : sum / n; r->measures[0] = cost->text_bytes; }\n"
    "static void want(const void *s, int n, const void *in, void *out, uint8_t *mask)\n"
    "{ const struct in *c = in; struct out *o = out; (void)s;\n"
    "  for (int i = 0; i < n; i++) { o[i].value = (double)c[i].a * c[i].b + 1;\n"
    "    memset(mask + i * sizeof(*o), 1, 8); } }\n"
    "static void explain(const void *s, const void *in, const void *out, char *t, size_t n)\n"
    "{ const struct in *c = in; const struct out *o = out; (void)s;\n"
    "  snprintf(t, n, \"wanted %g, got %g\", (double)c->a * c->b + 1, o->value); }\n"
    "static size_t picture(const void *s, int n, const void *in, const void *out, char *svg,\n"
    "                      size_t cap)\n"
    "{ const struct out *o = out; (void)s; (void)in; (void)n;\n"
    "  return (size_t)snprintf(svg, cap, \"<svg>%g</svg>\", o->value); }\n"
    "const struct elm_judge elm_judge = { .version = ELM_JUDGE_VERSION,\n"
    "  .in_bytes = sizeof(struct in), .out_bytes = sizeof(struct out), .make = make,\n"
    "  .score = score, .want = want, .explain = explain, .picture = picture };\n";

/* which has the larger sum of values? */
static const char compare_judge[] =
    "#include \"elm/judge.h\"\n"
    "struct in { int a, b; };\nstruct out { double value; int square[4]; };\n"
    "static int make(void *s, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{ struct in *c = in; (void)s; (void)set; (void)seed;\n"
    "  for (int i = 0; i < max; i++) c[i].a = c[i].b = i; return max; }\n"
    "static int compare(const void *s, int n, const void *in, const void *out_a,\n"
    "  const struct elm_cost *cost_a, const void *out_b, const struct elm_cost *cost_b,\n"
    "  struct elm_result *r)\n"
    "{ const struct out *a = out_a, *b = out_b; (void)s; (void)in; double d = 0;\n"
    "  (void)cost_a; (void)cost_b;\n"
    "  for (int i = 0; i < n; i++) { d += b[i].value - a[i].value; r->pass[i] = b[i].value > 0; }\n"
    "  return d > 0 ? 1 : d < 0 ? -1 : 0; }\n"
    "const struct elm_judge elm_judge = { .version = ELM_JUDGE_VERSION,\n"
    "  .in_bytes = sizeof(struct in), .out_bytes = sizeof(struct out), .make = make,\n"
    "  .compare = compare };\n";

static const char right[] =
    "double f(int a, int b, int square[4])\n{\n    square[1] = a * a;\n"
    "    return (double)a * b + 1.0;\n}\n";

static struct elm_keeper *keeper;
static struct elm_sandbox_report best;
static char folder[] = "/tmp/elm-evaluator-XXXXXX";

struct rig {
    struct elm_problem p;
    struct elm_evaluator *e;
    struct elm_tree trees[ELM_JOBS_MAX];
};

static void put(const char *name, const char *text)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, name);
    assert_int_equal(elm_file_write(path.ptr, elm_str(text), NULL), ELM_OK);
    elm_buf_release(&path);
}

static void make_problem(struct elm_problem *p, const char *judge)
{
    static char name[] = "test";
    *p = (struct elm_problem){.name = name, .folder = folder};
    p->names = elm_names_new();
    strcpy(p->io.entry, "f");
    p->io.returns = ELM_TYPE_DOUBLE;
    p->io.param_count = 3;
    p->io.params[0] = (struct elm_io_param){.name = "a", .type = ELM_TYPE_INT};
    p->io.params[1] = (struct elm_io_param){.name = "b", .type = ELM_TYPE_INT};
    p->io.params[2] = (struct elm_io_param){.name = "square", .type = ELM_TYPE_INT_ARRAY,
                                            .direction = ELM_IO_OUT, .dims = {4, 0}};
    assert_int_equal(elm_io_layout(&p->io, NULL), ELM_OK);
    p->judge = judge == compare_judge ? ELM_JUDGE_COMPARE : ELM_JUDGE_SCORE;
    for (int set = 0; set < ELM_SETS; set++)
        p->case_count[set] = CASES;
    p->case_seed = 3;
    p->fuel = 10000;
    p->cpu_ms = 100;
    p->memory_mb = 16;
    p->measure_count = 2;
    p->measures[0] = (struct elm_measure){.name = "bytes", .hi = 100, .bins = 4};
    p->measures[1] = (struct elm_measure){.name = "size", .hi = 100, .bins = 4,
                                          .source = ELM_MEASURE_NODES};
    put("judge.c", judge);
}

static struct rig *try_rig(const char *judge, int level, struct elm_error *err)
{
    struct rig *r = calloc(1, sizeof(*r));
    char *path = NULL;
    make_problem(&r->p, judge);
    enum elm_status status = elm_judge_build(&r->p, folder, &path, err);
    struct elm_evaluator_def def = {.keeper = keeper, .problem = &r->p, .judge_path = path,
                                    .level = level};
    if (status == ELM_OK)
        status = elm_evaluator_open(&def, &r->e, err);
    free(path);
    return status == ELM_OK ? r : NULL;
}

static struct rig *open_rig(const char *judge, int level)
{
    struct elm_error err = {0};
    struct rig *r = try_rig(judge, level, &err);
    if (r == NULL)
        fail_msg("%s", err.message);
    return r;
}

static void close_rig(struct rig *r)
{
    elm_evaluator_close(r->e);
    elm_names_free(r->p.names);
    free(r);
}

static struct elm_tree parse(struct rig *r, const char *text)
{
    struct elm_tree t;
    struct elm_error err = {0};
    if (elm_tree_parse(elm_str(text), r->p.names, &t, &err) != ELM_OK ||
        elm_tree_check(&t, r->p.names, &err) != ELM_OK)
        fail_msg("%s: %s", text, err.message);
    return t;
}

static void run(struct rig *r, struct elm_job *jobs, uint32_t count, enum elm_set set,
                enum elm_tier tier)
{
    struct elm_error err = {0};
    if (elm_evaluator_run(r->e, jobs, count, set, tier, &err) != ELM_OK)
        fail_msg("%s", err.message);
}

/* The program as text: compiled by tcc or gcc. */
static struct elm_evaluation run_text(struct rig *r, const char *text, enum elm_tier tier)
{
    struct elm_job job = {.text = elm_str(text)};
    run(r, &job, 1, ELM_SET_SCORED, tier);
    return job.evaluation;
}

static struct elm_evaluation run_tree(struct rig *r, const char *text)
{
    struct elm_tree t = parse(r, text);
    struct elm_job job = {.tree = &t};
    run(r, &job, 1, ELM_SET_SCORED, ELM_TIER_FAST);
    elm_tree_release(&t);
    return job.evaluation;
}

static void expect(const char *what, struct elm_evaluation e, enum elm_eval_status status,
                   const char *why)
{
    if (e.status != status || strstr(e.why, why) == NULL)
        fail_msg("%s: %s (%s), not %s (%s)", what, elm_eval_status_name(e.status), e.why,
                 elm_eval_status_name(status), why);
}

static void test_vm(void **state)
{
    (void)state;
    struct rig *r = open_rig(score_judge, best.level);
    struct elm_evaluation e = run_tree(r, right);
    expect("right", e, ELM_EVAL_OK, "");
    assert_true(e.fitness == 1 && e.passed == CASES && e.cases == CASES && e.in_vm);
    assert_true(e.steps > 0 && e.measures[0] == (double)strlen(right) && e.measures[1] > 5);
    uint64_t signature = e.signature;
    e = run_tree(r, "double f(int a, int b, int square[4])\n{\n    square[1] = a * a;\n"
                    "    return 1.0 + (double)b * a;\n}\n");
    assert_true(e.signature == signature);
    e = run_tree(r, "double f(int a, int b, int square[4])\n{\n    return 0.5;\n}\n");
    expect("wrong", e, ELM_EVAL_OK, "");
    assert_true(e.fitness == 0 && e.passed == 0 && e.signature != signature);
    static const struct {
        const char *body;
        enum elm_eval_status status;
        const char *why;
    } bad[] = {
        {"square[a - 100] = 1; return 1.0;", ELM_EVAL_CRASHED, "index"},
        {"while (1) { a += 1; } return 1.0;", ELM_EVAL_TIMEOUT, "steps"},
        {"return a / (b - b);", ELM_EVAL_CRASHED, "division"},
        {"return f(a, b, square);", ELM_EVAL_CRASHED, "deep"},
        {"return 1.0 / (a - a);", ELM_EVAL_INVALID, "not finite"},
        {"return -5.0;", ELM_EVAL_INVALID, "minus five"},
        {"return -6.0;", ELM_EVAL_FAULT, "judge"},
        {"return -7.0;", ELM_EVAL_INVALID, "fitness"},
    };
    for (size_t i = 0; i < ELM_COUNT(bad); i++) {
        struct elm_buf text = {0};
        elm_buf_printf(&text, "double f(int a, int b, int square[4])\n{\n%s\n}\n", bad[i].body);
        expect(bad[i].body, run_tree(r, text.ptr), bad[i].status, bad[i].why);
        elm_buf_release(&text);
    }
    expect("no entry", run_tree(r, "int g(int a)\n{\n    return a;\n}\n"), ELM_EVAL_BUILD_FAILED,
           "'f'");
    expect("right again", run_tree(r, right), ELM_EVAL_OK, "");
    close_rig(r);
}

static void test_tcc(void **state)
{
    (void)state;
    struct rig *r = open_rig(score_judge, best.level);
    static const struct {
        const char *text;
        enum elm_eval_status status;
        const char *why;
    } programs[] = {
        {right, ELM_EVAL_OK, ""},
        {"#include <math.h>\n#include <stdlib.h>\n#include <string.h>\n#include <stdint.h>\n"
         "#include <stdio.h>\n#include <stdbool.h>\n#include <float.h>\n#include <limits.h>\n"
         "double f(int a, int b, int *square)\n{ int *p = malloc(8); square[1] = a * a;\n"
         "  *p = b; printf(\"%d\", b); return a * (double)*p + fabs(-1.0); }\n", ELM_EVAL_OK, ""},
        {"double f(int a, int b, int *s) { s[1] = a * a; return a * b + 1; }\n"
         "int main(void) { return 3; }\ndouble sin(double x) { return 3; }\n"
         "__attribute__((constructor)) void early(void) { *(volatile int *)0 = 0; }\n",
         ELM_EVAL_OK, ""},
        {"double f(int a) {", ELM_EVAL_BUILD_FAILED, "line 1"},
        {"\n\ndouble f(int a) { return x; }", ELM_EVAL_BUILD_FAILED, "line 3: 'x'"},
        {"#include <math.h>\ndouble f(int a) { return x; }", ELM_EVAL_BUILD_FAILED, "line 2: 'x'"},
        {"#include \"/etc/passwd\"\ndouble f(int a) { return 1; }", ELM_EVAL_BUILD_FAILED,
         "not found"},
        {"static double f(int a) { return 1; }", ELM_EVAL_BUILD_FAILED, "no function 'f'"},
        {"double g(int a) { return 1; }", ELM_EVAL_BUILD_FAILED, "no function 'f'"},
        {"int system(const char *); double f(int a) { return system(\"id\"); }",
         ELM_EVAL_BUILD_FAILED, "system"},
        {"double f(int a) { return *(int *)0; }", ELM_EVAL_CRASHED, "segmentation"},
        {"double f(int a) { return a / (a - a); }", ELM_EVAL_CRASHED, "division"},
        {"double f(int a) { for (;;); }", ELM_EVAL_TIMEOUT, "100 ms"},
        {"#include <stdlib.h>\ndouble f(int a) { exit(0); }", ELM_EVAL_INVALID, "exited"},
        {"#include <stdlib.h>\ndouble f(int a) { abort(); }", ELM_EVAL_CRASHED, "aborted"},
        {"double f(int a) { asm(\"mov $60,%eax; mov $0,%edi; syscall\"); return 1; }",
         ELM_EVAL_INVALID, "exited"},
        {"double f(int a) { asm(\"mov $39,%eax; syscall\"); return 1; }", ELM_EVAL_REFUSED,
         "system call"},
        {"double f(int a) { asm(\"mov $20,%eax; int $0x80\"); return 1; }", ELM_EVAL_REFUSED,
         "system call"},
        {"#include <stdlib.h>\ndouble f(int a) { for (;;) ((char *)malloc(4096))[0] = 1; }",
         ELM_EVAL_MEMORY, "heap"},
        {"char big[40000000]; double f(int a) { return big[a]; }", ELM_EVAL_MEMORY, "variables"},
        {"double f(int a) { return f(a) + f(a + 1); }", ELM_EVAL_CRASHED, "segmentation"},
        {"double f(int a) { return 0.0 / 0.0; }", ELM_EVAL_INVALID, "not finite"},
        {"", ELM_EVAL_BUILD_FAILED, "no function"},
    };
    for (size_t i = 0; i < ELM_COUNT(programs); i++) {
        struct elm_evaluation e = run_text(r, programs[i].text, ELM_TIER_FAST);
        expect(programs[i].text, e, programs[i].status, programs[i].why);
        assert_true(e.status != ELM_EVAL_OK || (e.fitness == 1 && !e.in_vm && e.steps == 0));
    }
    close_rig(r);
}

static void test_gcc(void **state)
{
    (void)state;
    struct rig *r = open_rig(score_judge, best.level);
    static const struct {
        const char *text;
        enum elm_eval_status status;
        const char *why;
    } programs[] = {
        {right, ELM_EVAL_OK, ""},
        {"#include <math.h>\nstatic int calls; int main(void) { return 1; }\n"
         "double pow(double a, double b) { return a * b; }\n"
         "__attribute__((constructor)) void early(void) { calls = 100; }\n"
         "double f(int a, int b, int *s) { s[1] = a * a;\n"
         "return pow(a, b) + floor(1.5) + calls * sqrt(calls); }\n", ELM_EVAL_OK, ""},
        {"\ndouble f(int a) { return x; }", ELM_EVAL_BUILD_FAILED, "line 2: 'x'"},
        {"#include \"/etc/passwd\"\ndouble f(int a) { return 1; }", ELM_EVAL_BUILD_FAILED,
         "line 1: /etc/passwd:"},
        {"asm(\".incbin \\\"/etc/passwd\\\"\"); double f(int a) { return 1; }",
         ELM_EVAL_BUILD_FAILED, ""},
        {"int system(const char *); double f(int a) { return system(\"id\"); }",
         ELM_EVAL_BUILD_FAILED, "system"},
        {"double g(int a) { return 1; }", ELM_EVAL_BUILD_FAILED, ""},
        {"double f(int a) { return *(volatile int *)0; }", ELM_EVAL_CRASHED, ""},
        {"double f(int a) { for (;;) ; }", ELM_EVAL_TIMEOUT, "100 ms"},
        {"double f(int a) { long r; asm volatile(\"syscall\" : \"=a\"(r) : \"a\"(39L));\n"
         "return r; }", ELM_EVAL_REFUSED, "system call"},
        {"char big[40000000]; double f(int a) { return big[a]; }", ELM_EVAL_MEMORY, "variables"},
    };
    struct elm_job jobs[ELM_COUNT(programs)] = {{0}};
    for (size_t i = 0; i < ELM_COUNT(programs); i++)
        jobs[i].text = elm_str(programs[i].text);
    run(r, jobs, ELM_COUNT(jobs), ELM_SET_SCORED, ELM_TIER_GCC);
    for (size_t i = 0; i < ELM_COUNT(programs); i++) {
        expect(programs[i].text, jobs[i].evaluation, programs[i].status, programs[i].why);
        assert_true(programs[i].status != ELM_EVAL_OK || jobs[i].evaluation.fitness == 1);
    }
    /* the same bits by all three */
    struct elm_evaluation vm = run_tree(r, right), tcc = run_text(r, right, ELM_TIER_FAST);
    assert_true(vm.signature == tcc.signature && vm.signature == jobs[0].evaluation.signature);
    close_rig(r);
}

/* What the VM runs without an #include, compilers get with it. */
static void test_includes(void **state)
{
    (void)state;
    struct rig *r = open_rig(score_judge, best.level);
    const char *text = "double f(int a, int b, int square[4])\n{\n"
                       "    square[1] = (int)pow(abs(a), 2.0);\n"
                       "    return floor(a * b + 1.5);\n}\n";
    struct elm_tree t = parse(r, text);
    struct elm_job fast = {.tree = &t}, gcc = fast, tcc = fast;
    run(r, &fast, 1, ELM_SET_SCORED, ELM_TIER_FAST);
    run(r, &gcc, 1, ELM_SET_SCORED, ELM_TIER_GCC);
    r->p.runner = ELM_RUNNER_TCC;
    run(r, &tcc, 1, ELM_SET_SCORED, ELM_TIER_FAST);
    expect("vm", fast.evaluation, ELM_EVAL_OK, "");
    expect("tcc", tcc.evaluation, ELM_EVAL_OK, "");
    expect("gcc", gcc.evaluation, ELM_EVAL_OK, "");
    assert_true(fast.evaluation.in_vm && !tcc.evaluation.in_vm && !gcc.evaluation.in_vm);
    assert_true(fast.evaluation.signature == tcc.evaluation.signature);
    assert_true(fast.evaluation.signature == gcc.evaluation.signature);
    assert_true(fast.evaluation.measures[0] == tcc.evaluation.measures[0]);
    elm_tree_release(&t);
    close_rig(r);
}

static void test_compare(void **state)
{
    (void)state;
    struct rig *r = open_rig(compare_judge, best.level);
    struct elm_tree one = parse(r, "double f(int a, int b, int square[4])\n{\n"
                                   "    return 1.0;\n}\n");
    struct elm_tree two = parse(r, "double f(int a, int b, int square[4])\n{\n"
                                   "    return 2.0;\n}\n");
    struct elm_tree bad = parse(r, "double f(int a, int b, int square[4])\n{\n"
                                   "    return 2 / (a - a);\n}\n");
    const char *three = "double f(int a) { return 3; }";
    for (int round = 0; round < 2; round++) {
        struct elm_job jobs[] = {
            {.tree = &two, .opponent = &one}, {.tree = &one, .opponent = &two},
            {.tree = &one, .opponent = &one}, {.tree = &one},
            {.tree = &one, .opponent = &bad}, {.tree = &bad, .opponent = &one},
            {.text = elm_str(three), .opponent = &two},
            {.tree = &two, .opponent_text = elm_str(three)},
        };
        static const int wanted[] = {1, -1, 0, 0, 1, 0, 1, -1};
        run(r, jobs, ELM_COUNT(jobs), ELM_SET_SCORED, ELM_TIER_FAST);
        for (size_t i = 0; i < ELM_COUNT(jobs); i++) {
            expect("job", jobs[i].evaluation, i == 5 ? ELM_EVAL_CRASHED : ELM_EVAL_OK, "");
            assert_int_equal(jobs[i].evaluation.compared, wanted[i]);
            assert_int_equal(jobs[i].evaluation.passed, i == 5 ? 0 : CASES);
        }
    }
    struct elm_evaluator_totals totals;
    elm_evaluator_totals(r->e, &totals);
    /* opponents run once, then their outputs are still there */
    assert_int_equal(totals.vm_runs, 2 * 7 + 3);
    assert_int_equal(totals.tcc_runs, 2 + 1);
    elm_tree_release(&one);
    elm_tree_release(&two);
    elm_tree_release(&bad);
    close_rig(r);
}

static void test_evidence(void **state)
{
    (void)state;
    struct rig *r = open_rig(score_judge, best.level);
    struct elm_buf text = {0};
    uint32_t count;
    const void *in, *want;
    const uint8_t *mask;
    elm_evaluator_evidence(r->e, &count, &in, &want, &mask);
    assert_int_equal(count, CASES);
    const int *first = in;
    assert_true(first[0] == 1 && first[1] == 3);
    double wanted;
    memcpy(&wanted, want, sizeof(wanted));
    assert_true(wanted == 4 && mask[0] == 1 && mask[7] == 1 && mask[8] == 0);

    struct elm_tree t = parse(r, right);
    struct elm_job job = {.tree = &t};
    run(r, &job, 1, ELM_SET_SHOWN, ELM_TIER_FAST);
    assert_memory_equal(elm_evaluator_outputs(r->e, 0), want, 8);
    assert_int_equal(elm_evaluator_passes(r->e, 0)[CASES - 1], 1);
    run(r, &job, 1, ELM_SET_AUDIT, ELM_TIER_FAST);
    expect("audit", job.evaluation, ELM_EVAL_OK, "");
    assert_int_equal(elm_evaluator_picture(r->e, &job, &text, NULL), ELM_OK);
    /* scored: a = 2, b = 3 */
    assert_string_equal(text.ptr, "<svg>7</svg>");
    elm_buf_clear(&text);
    assert_int_equal(elm_evaluator_explain(r->e, &job, 3, &text, NULL), ELM_OK);
    assert_int_equal(text.len, 0);
    job = (struct elm_job){.text = elm_str("double f(int a) { return 9; }")};
    assert_int_equal(elm_evaluator_explain(r->e, &job, 2, &text, NULL), ELM_OK);
    assert_string_equal(text.ptr, "case 0: wanted 4, got 9\ncase 1: wanted 9, got 9\n");
    elm_buf_clear(&text);
    job = (struct elm_job){.text = elm_str("double f(int a) { return *(int *)0; }")};
    assert_int_equal(elm_evaluator_explain(r->e, &job, 2, &text, NULL), ELM_OK);
    assert_string_equal(text.ptr, "crashed: segmentation fault\n");
    assert_int_equal(elm_evaluator_picture(r->e, &job, &text, NULL), ELM_NOT_FOUND);
    elm_buf_release(&text);
    elm_tree_release(&t);
    close_rig(r);
}

static void test_levels(void **state)
{
    (void)state;
    assert_true(best.level >= 2 && best.seccomp && best.cpu_timer);
    assert_true(best.level == 3 ? best.note[0] == '\0' : best.note[0] != '\0');
    for (int level = 1; level <= best.level; level++) {
        struct rig *r = open_rig(score_judge, level);
        expect("vm", run_tree(r, right), ELM_EVAL_OK, "");
        expect("tcc", run_text(r, right, ELM_TIER_FAST), ELM_EVAL_OK, "");
        expect("gcc", run_text(r, right, ELM_TIER_GCC), ELM_EVAL_OK, "");
        expect("call", run_text(r, "double f(int a) { asm(\"mov $39,%eax; syscall\"); return 1; }",
                                ELM_TIER_FAST), ELM_EVAL_REFUSED, "");
        expect("include", run_text(r, "#include \"/etc/passwd\"\n", ELM_TIER_GCC),
               ELM_EVAL_BUILD_FAILED, level >= 2 ? "line 1" : "");
        expect("loop", run_text(r, "double f(int a) { for (;;); }", ELM_TIER_FAST),
               ELM_EVAL_TIMEOUT, "");
        close_rig(r);
    }
}

/* Processes named so that our keeper started; or the keeper itself. */
static uint32_t find_processes(const char *name, pid_t *pids, uint32_t max)
{
    struct elm_buf command = {0};
    char line[64];
    uint32_t count = 0;
    elm_buf_printf(&command, "ps -eo pid=,ppid=,args= | awk '$3 == \"elm-keeper\" && $2 == %d "
                             "{k = $1} {p[$1] = $2; n[$1] = $3} END {for (i in p) "
                             "if ((p[i] == k || i == k) && n[i] == \"%s\") print i}'",
                   (int)getpid(), name);
    FILE *f = popen(command.ptr, "r");
    while (f != NULL && count < max && fgets(line, sizeof(line), f) != NULL)
        pids[count++] = atoi(line);
    pclose(f);
    elm_buf_release(&command);
    return count;
}

static void test_killed_cages(void **state)
{
    (void)state;
    static const char *const names[] = {"elm-runner", "elm-compiler", "elm-judge"};
    struct rig *r = open_rig(score_judge, best.level);
    struct elm_evaluator_totals before, after;
    for (size_t i = 0; i < ELM_COUNT(names); i++) {
        expect("before", run_text(r, right, ELM_TIER_FAST), ELM_EVAL_OK, "");
        elm_evaluator_totals(r->e, &before);
        pid_t pids[64];
        uint32_t count = find_processes(names[i], pids, 64);
        assert_true(count >= 1);
        for (uint32_t k = 0; k < count; k++)
            kill(pids[k], SIGKILL);
        struct elm_evaluation text = run_text(r, right, ELM_TIER_FAST);
        expect(names[i], text, ELM_EVAL_OK, "");
        expect(names[i], run_tree(r, right), ELM_EVAL_OK, "");
        assert_true(text.fitness == 1);
        elm_evaluator_totals(r->e, &after);
        assert_int_equal(after.restarts, before.restarts + 1);
        assert_true(after.cpu_us >= before.cpu_us);
    }
    close_rig(r);
}

static uint32_t open_files(void)
{
    uint32_t count = 0;
    for (int fd = 0; fd < 1000; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void *work(void *ctx)
{
    struct rig *r = ctx;
    struct elm_error err;
    size_t wrong = 0;
    for (int i = 0; i < 30; i++) {
        struct elm_job jobs[2] = {{.tree = &r->trees[0]}, {.text = elm_str(right)}};
        wrong += elm_evaluator_run(r->e, jobs, 2, ELM_SET_SCORED, ELM_TIER_FAST, &err) != ELM_OK;
        for (int k = 0; k < 2; k++)
            wrong += jobs[k].evaluation.status != ELM_EVAL_OK || jobs[k].evaluation.fitness != 1;
    }
    return (void *)wrong;
}

/* Two workers, whose cages are killed under them; afterwards no file and no process is left. */
static void test_workers(void **state)
{
    (void)state;
    uint32_t files = open_files();
    struct rig *rigs[2];
    pthread_t threads[2];
    pid_t pids[8];
    for (int i = 0; i < 2; i++) {
        rigs[i] = open_rig(score_judge, best.level);
        rigs[i]->trees[0] = parse(rigs[i], right);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, rigs[i]), 0);
    uint32_t count = find_processes("elm-runner", pids, 8);
    assert_int_equal(count, 2);
    for (uint32_t i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    for (int i = 0; i < 2; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
        elm_tree_release(&rigs[i]->trees[0]);
        close_rig(rigs[i]);
    }
    assert_int_equal(open_files(), files);
    static const char *const names[] = {"elm-runner", "elm-compiler", "elm-judge"};
    for (size_t i = 0; i < ELM_COUNT(names); i++)
        assert_int_equal(find_processes(names[i], pids, 8), 0);
}

/* Nothing of the program before is left in the registers, the output slot or the stack. */
static void test_nothing_left(void **state)
{
    (void)state;
    struct rig *r = open_rig(score_judge, best.level);
    struct elm_tree t = parse(r, "double f(int a, int b, int square[4])\n{\n    square[0] = 5;\n"
                                 "    square[3] = 5;\n    return 123456789.0;\n}\n");
    struct elm_job jobs[] = {
        {.tree = &t},
        {.text = elm_str("double f(int a, int b, int *s) { for (int i = 0; i < 4; i++) s[i] = 77;\n"
                         "return 123456789; }")},
        {.text = elm_str("static char all[16384] __attribute__((aligned(64)));\n"
                         "double f(int a, int b, int *s)\n{\n    int i;\n"
                         "    asm volatile(\"xsave64 %0\" : \"=m\"(all) : \"a\"(-1), \"d\"(-1));\n"
                         "    for (i = 0; i + 8 <= 16384; i += 4)\n"
                         "        if (*(double *)(all + i) == 123456789.0 || *(int *)(all + i) == 77)\n"
                         "            return 9;\n"
                         "    return s[-1] == 123456789 ? 9 : 0;\n}\n")},
        {.text = elm_str("double f(int a, int b, int *s)\n{\n    double here;\n"
                         "    for (volatile double *p = &here; p > &here - 4000; p--)\n"
                         "        if (*p == 123456789.0) return 9;\n    return 0;\n}\n")},
    };
    run(r, jobs, ELM_COUNT(jobs), ELM_SET_SCORED, ELM_TIER_GCC);
    static const uint8_t zeros[24];
    for (uint32_t i = 2; i < ELM_COUNT(jobs); i++) {
        expect("peeks", jobs[i].evaluation, ELM_EVAL_OK, "");
        assert_memory_equal(elm_evaluator_outputs(r->e, i), zeros, sizeof(zeros));
    }
    run(r, jobs, 1, ELM_SET_SCORED, ELM_TIER_FAST);
    run(r, &jobs[3], 1, ELM_SET_SCORED, ELM_TIER_FAST);
    assert_memory_equal(elm_evaluator_outputs(r->e, 0), zeros, sizeof(zeros));
    elm_tree_release(&t);
    close_rig(r);
}

static void test_texts_too_long(void **state)
{
    (void)state;
    struct rig *r = open_rig(score_judge, best.level);
    struct elm_buf long_line = {0};
    for (int i = 0; i < ELM_TEXT_BYTES_MAX + 1; i++)
        elm_buf_byte(&long_line, ' ');
    struct elm_job jobs[] = {
        {.text = elm_str(right)}, {.text = elm_buf_str(&long_line)},
        {.text = {"double f(int a)\0{ }", 19}}, {.text = elm_str(right)},
    };
    run(r, jobs, ELM_COUNT(jobs), ELM_SET_SCORED, ELM_TIER_FAST);
    expect("before", jobs[0].evaluation, ELM_EVAL_OK, "");
    expect("long", jobs[1].evaluation, ELM_EVAL_BUILD_FAILED, "262144 are allowed");
    expect("zero", jobs[2].evaluation, ELM_EVAL_BUILD_FAILED, "zero byte");
    expect("after", jobs[3].evaluation, ELM_EVAL_OK, "");
    elm_buf_release(&long_line);
    close_rig(r);
}

static void test_judges(void **state)
{
    (void)state;
    struct elm_problem p;
    struct elm_error err;
    struct elm_evaluator *e;
    char *path = NULL, *again = NULL, *never = NULL;
    make_problem(&p, score_judge);
    put("judge.c", "#include \"elm/judge.h\"\nint x = y;\n");
    assert_int_equal(elm_judge_build(&p, folder, &path, &err), ELM_PARSE);
    assert_non_null(strstr(err.message, "judge.c:2:9: error"));
    put("judge.c", "int elm_nothing;\n");
    assert_int_equal(elm_judge_build(&p, folder, &path, &err), ELM_PARSE);
    assert_non_null(strstr(err.message, "elm_judge"));
    put("judge.c", score_judge);
    assert_int_equal(elm_judge_build(&p, folder, &path, &err), ELM_OK);
    assert_int_equal(elm_judge_build(&p, folder, &again, &err), ELM_OK);
    assert_string_equal(path, again);
    /* another number of bytes than the entry makes */
    p.io.params[2].dims[0] = 40;
    assert_int_equal(elm_io_layout(&p.io, NULL), ELM_OK);
    struct elm_evaluator_def def = {.keeper = keeper, .problem = &p, .judge_path = path,
                                    .level = best.level};
    assert_int_equal(elm_evaluator_open(&def, &e, &err), ELM_PARSE);
    assert_non_null(strstr(err.message, "24 out"));
    assert_non_null(strstr(err.message, "168"));
    assert_int_equal(elm_judge_build(&p, "/proc/nothing", &never, &err), ELM_IO);
    free(again);
    elm_names_free(p.names);
    free(path);
}

/* elm killed in the middle of its work leaves nothing behind. */
static void test_killed_elm(void **state)
{
    (void)state;
    int told[2];
    pid_t keeper_pid = 0;
    assert_int_equal(pipe(told), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct elm_error err;
        if (elm_keeper_open(&keeper, &err) != ELM_OK)
            _exit(1);
        struct rig *r = try_rig(score_judge, best.level, &err);
        if (r == NULL)
            _exit(1);
        run_text(r, right, ELM_TIER_FAST);
        uint32_t count = find_processes("elm-keeper", &keeper_pid, 1);
        if (write(told[1], &keeper_pid, sizeof(keeper_pid)) != sizeof(keeper_pid) || count != 1)
            _exit(1);
        for (;;)
            run_text(r, "double f(int a) { for (;;) ; }", ELM_TIER_FAST);
    }
    close(told[1]);
    assert_int_equal(read(told[0], &keeper_pid, sizeof(keeper_pid)), sizeof(keeper_pid));
    close(told[0]);
    struct elm_buf command = {0};
    elm_buf_printf(&command, "test \"$(ps -eo ppid= | grep -cw %d)\" -ge 3", (int)keeper_pid);
    assert_int_equal(system(command.ptr), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    elm_buf_clear(&command);
    elm_buf_printf(&command, "for i in $(seq 100); do ps -eo pid=,ppid= | grep -qw %d || exit 0;"
                             " sleep 0.05; done; exit 1", (int)keeper_pid);
    assert_int_equal(system(command.ptr), 0);
    elm_buf_release(&command);
}

static int open_all(void **state)
{
    (void)state;
    struct elm_error err = {0};
    if (mkdtemp(folder) == NULL || elm_keeper_open(&keeper, &err) != ELM_OK ||
        elm_sandbox_probe(keeper, &best, &err) != ELM_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    struct elm_buf command = {0};
    elm_keeper_close(keeper);
    elm_buf_printf(&command, "rm -rf '%s'", folder);
    int failed = system(command.ptr);
    elm_buf_release(&command);
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vm), cmocka_unit_test(test_tcc),
        cmocka_unit_test(test_gcc), cmocka_unit_test(test_includes),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_evidence), cmocka_unit_test(test_levels),
        cmocka_unit_test(test_killed_cages), cmocka_unit_test(test_workers),
        cmocka_unit_test(test_nothing_left), cmocka_unit_test(test_texts_too_long),
        cmocka_unit_test(test_judges), cmocka_unit_test(test_killed_elm),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
