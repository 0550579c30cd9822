/*
 * rounds: judges with `next` through the real cages: state between rounds, pausing lanes, early
 * ends, every way to run a program, failures in the middle of a game, two that play each other.
 */
#include "elm/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Each lane wants 1000 times the number of its questions so far, plus their sum. Odd lanes pause
 * every other round. An answer of -1 ends it, -2 kills the judge. There are seven rounds. */
static const char score_yaml[] =
    "summary: remembers what it was asked\n"
    "entry: \"double f(int x, int t, double a[4], int calls[2], int out[2])\"\n"
    "io: {a: state, calls: state, out: out}\n"
    "rounds: 20\n"
    "cases: {shown: 4, scored: 5, audit: 6}\n"
    "limits: {fuel: 500, total_fuel: 5000, cpu_ms: 100, memory_mb: 16}\n"
    "measures: [{name: rounds, lo: 0, hi: 20}, {name: steps, from: steps, lo: 0, hi: 20}]\n";
static const char score_judge[] =
    "#include \"elm/judge.h\"\n"
    "struct in { int x, t; };\nstruct out { double value; int out[2]; };\n"
    "struct world { int asked[64], right[64], wrong; double sum[64]; };\n"
    "static int make(void *s, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{ struct in *c = in; (void)s; for (int i = 0; i < max; i++) {\n"
    "  c[i].x = 10 * i + (int)set + (int)seed; c[i].t = 0; } return max; }\n"
    "static int next(const void *s, void *world, int round, int n, const void *out, void *in,\n"
    "                uint8_t *live)\n"
    "{ struct world *w = world; const struct out *o = out; struct in *c = in; (void)s;\n"
    "  int count = 0;\n"
    "  for (int i = 0; i < n && round > 0; i++) {\n"
    "    if (!live[i]) continue;\n"
    "    if (o[i].value == -1) return 0;\n"
    "    if (o[i].value == -2) *(volatile int *)0 = 0;\n"
    "    w->asked[i]++; w->sum[i] += c[i].x;\n"
    "    int good = o[i].value == 1000 * w->asked[i] + w->sum[i] && o[i].out[0] == 0 &&\n"
    "               o[i].out[1] == c[i].x;\n"
    "    w->right[i] += good; w->wrong += !good; }\n"
    "  if (round == 7) return 0;\n"
    "  for (int i = 0; i < n; i++) {\n"
    "    count += live[i] = i % 2 == 0 || round % 2 == 0;\n"
    "    if (live[i] && round > 0) { c[i].x = c[i].x * 7 % 101 + i; c[i].t = round; } }\n"
    "  return count; }\n"
    "static void score(const void *s, int n, const void *in, const void *out,\n"
    "                  const struct elm_cost *cost, struct elm_result *r)\n"
    "{ const struct world *w = out; (void)s; (void)in;\n"
    "  for (int i = 0; i < n; i++) { r->pass[i] = w->right[i] == (i % 2 == 0 ? 7 : 4);\n"
    "    r->fitness += w->right[i]; }\n"
    "  r->fitness -= 100 * w->wrong; r->measures[0] = cost->rounds; }\n"
    "static size_t picture(const void *s, int n, const void *in, const void *out, char *svg,\n"
    "                      size_t cap)\n"
    "{ const struct world *w = out; (void)s; (void)n; (void)in;\n"
    "  if (cap < 3) return 0; svg[0] = 'r'; svg[1] = (char)('0' + w->right[0]); return 2; }\n"
    "const struct elm_judge elm_judge = {.version = ELM_JUDGE_VERSION,\n"
    "  .in_bytes = sizeof(struct in), .out_bytes = sizeof(struct out),\n"
    "  .world_bytes = sizeof(struct world), .make = make, .next = next, .score = score,\n"
    "  .picture = picture};\n";
#define HEAD "double f(int x, int t, double a[4], int calls[2], int out[2])\n{\n"
static const char right[] =
    HEAD "    a[1] += x;\n    calls[1]++;\n    out[0] += t - t;\n    out[1] = x;\n"
    "    return 1000.0 * calls[1] + a[1];\n}\n";

/* Six rounds of naming a number, knowing what the other said last: more than it, by no more than
 * three, wins the round. Two games, each side first in one. Answers above 100 lose all. */
static const char duel_yaml[] =
    "summary: names a number a little above the other's\n"
    "entry: \"int f(int other, int first, int said[8])\"\n"
    "io: {said: state}\n"
    "judge: compare\nrounds: 12\n"
    "cases: {shown: 4, scored: 4, audit: 4}\nlimits: {fuel: 500, cpu_ms: 100}\n";
static const char duel_judge[] =
    "#include \"elm/judge.h\"\n"
    "struct in { int other, first; };\nstruct out { int value, unused; };\n"
    "struct world { int won[2]; };\n"
    "static int make(void *s, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{ struct in *c = in; (void)s; (void)seed; for (int i = 0; i < max; i++) {\n"
    "  c[i].other = (int)set; c[i].first = i / 2 % 2 == i % 2; } return max; }\n"
    "static int next(const void *s, void *world, int round, int n, const void *out, void *in,\n"
    "                uint8_t *live)\n"
    "{ struct world *w = world; const struct out *o = out; struct in *c = in; (void)s;\n"
    "  for (int i = 0; i < n && round > 0; i++) {\n"
    "    if (!live[i]) continue;\n"
    "    int by = o[i].value - c[i].other;\n"
    "    w->won[i % 2] += o[i].value > 100 ? -100 : by >= 1 && by <= 3;\n"
    "    c[i ^ 1].other = o[i].value > 100 ? 100 : o[i].value; }\n"
    "  if (round == 12) return 0;\n"
    "  for (int i = 0; i < n; i++) live[i] = c[i].first == (round % 2 == 0);\n"
    "  return n / 2; }\n"
    "static int compare(const void *s, int n, const void *in, const void *a,\n"
    "  const struct elm_cost *cost_a, const void *b, const struct elm_cost *cost_b,\n"
    "  struct elm_result *r)\n"
    "{ const struct world *w = b; (void)s; (void)in; (void)cost_a; (void)cost_b;\n"
    "  if (a != b || cost_a->rounds != 12 || cost_b->rounds != 12) { r->invalid = 1; return 0; }\n"
    "  for (int i = 0; i < n; i++) r->pass[i] = w->won[1] > 0;\n"
    "  return w->won[1] > w->won[0] ? 1 : w->won[1] < w->won[0] ? -1 : 0; }\n"
    "const struct elm_judge elm_judge = {.version = ELM_JUDGE_VERSION,\n"
    "  .in_bytes = sizeof(struct in), .out_bytes = sizeof(struct out),\n"
    "  .world_bytes = sizeof(struct world), .make = make, .next = next, .compare = compare};\n";
#define DUEL "int f(int other, int first, int said[8])\n{\n"

static struct elm_keeper *keeper;
static struct elm_sandbox_report best;
static char folder[] = "/tmp/elm-rounds-XXXXXX";

struct rig {
    struct elm_problem *p;
    struct elm_evaluator *e;
};

static void put(const char *name, const char *text)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/p/%s", folder, name);
    assert_int_equal(elm_file_write(path.ptr, elm_str(text), NULL), ELM_OK);
    elm_buf_release(&path);
}

static struct rig open_rig(const char *yaml, const char *judge, const char *seed, int level)
{
    struct rig r = {0};
    struct elm_error err = {0};
    struct elm_buf path = {0};
    char *program = NULL;
    elm_buf_printf(&path, "%s/p", folder);
    mkdir(path.ptr, 0755);
    put("problem.yaml", yaml);
    put("judge.c", judge);
    put("seed.c", seed);
    enum elm_status status = elm_problem_load(path.ptr, NULL, &r.p, &err);
    if (status == ELM_OK)
        status = elm_judge_build(r.p, folder, &program, &err);
    struct elm_evaluator_def def = {.keeper = keeper, .problem = r.p, .judge_path = program,
                                    .level = level};
    if (status == ELM_OK)
        status = elm_evaluator_open(&def, &r.e, &err);
    if (status != ELM_OK)
        fail_msg("%s", err.message);
    free(program);
    elm_buf_release(&path);
    return r;
}

static void close_rig(struct rig *r)
{
    elm_evaluator_close(r->e);
    elm_problem_free(r->p);
}

static void run(struct rig *r, struct elm_job *jobs, uint32_t count, enum elm_tier tier)
{
    struct elm_error err = {0};
    if (elm_evaluator_run(r->e, jobs, count, ELM_SET_SCORED, tier, &err) != ELM_OK)
        fail_msg("%s", err.message);
}

static struct elm_tree parse(struct rig *r, const char *text)
{
    struct elm_tree t;
    struct elm_error err = {0};
    if (elm_tree_parse(elm_str(text), r->p->names, &t, &err) != ELM_OK ||
        elm_tree_check(&t, r->p->names, &err) != ELM_OK)
        fail_msg("%s: %s", text, err.message);
    return t;
}

static struct elm_evaluation run_tree(struct rig *r, const char *text)
{
    struct elm_tree t = parse(r, text);
    struct elm_job job = {.tree = &t};
    run(r, &job, 1, ELM_TIER_FAST);
    elm_tree_release(&t);
    return job.evaluation;
}

static struct elm_evaluation run_text(struct rig *r, const char *text, enum elm_tier tier)
{
    struct elm_job job = {.text = elm_str(text)};
    run(r, &job, 1, tier);
    return job.evaluation;
}

static void expect(const char *what, struct elm_evaluation e, enum elm_eval_status status,
                   const char *why)
{
    if (e.status != status || strstr(e.why, why) == NULL)
        fail_msg("%s: %s (%s), not %s (%s)", what, elm_eval_status_name(e.status), e.why,
                 elm_eval_status_name(status), why);
}

/* scored: five lanes; three asked seven times, two four times */
static void expect_right(const char *what, struct elm_evaluation e)
{
    expect(what, e, ELM_EVAL_OK, "");
    assert_true(e.fitness == 3 * 7 + 2 * 4 && e.passed == 5 && e.cases == 5);
    assert_true(e.measures[0] == 7);
}

static void test_every_way(void **state)
{
    (void)state;
    for (int level = 2; level <= best.level; level++) {
        struct rig r = open_rig(score_yaml, score_judge, right, level);
        struct elm_evaluation vm = run_tree(&r, right);
        expect_right("vm", vm);
        assert_true(vm.in_vm && vm.steps > 29 * 5 && vm.measures[1] > 5);
        struct elm_evaluation tcc = run_text(&r, right, ELM_TIER_FAST);
        struct elm_evaluation gcc = run_text(&r, right, ELM_TIER_GCC);
        expect_right("tcc", tcc);
        expect_right("gcc", gcc);
        assert_true(!tcc.in_vm && vm.signature == tcc.signature && vm.signature == gcc.signature);
        expect_right("vm again", run_tree(&r, right));
        /* state is zeros again for the next candidate, and no lane sees another's */
        expect_right("tcc again", run_text(&r, right, ELM_TIER_FAST));
        struct elm_buf svg = {0};
        struct elm_job job = {.text = elm_str(right)};
        assert_int_equal(elm_evaluator_picture(r.e, &job, &svg, NULL), ELM_OK);
        assert_string_equal(svg.ptr, "r7");
        elm_buf_release(&svg);
        close_rig(&r);
    }
}

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum elm_eval_status vm, tcc;
        const char *why_vm, *why_tcc;
    } bad[] = {
        {"return t == 3 ? 1 / (x - x) : 1.0;", ELM_EVAL_CRASHED, ELM_EVAL_CRASHED, "division",
         "division"},
        {"calls[0]++;\nwhile (calls[0] == 5) { }\nreturn 1.0;", ELM_EVAL_TIMEOUT,
         ELM_EVAL_TIMEOUT, "steps", "100 ms"},
        {"a[calls[0]] = 1.0;\ncalls[0] += 2;\nreturn 1.0;", ELM_EVAL_CRASHED, ELM_EVAL_OK, "index",
         ""},
        {"return -2.0;", ELM_EVAL_FAULT, ELM_EVAL_FAULT, "twice", "twice"},
    };
    struct rig r = open_rig(score_yaml, score_judge, right, best.level);
    for (size_t i = 0; i < ELM_COUNT(bad); i++) {
        struct elm_buf text = {0};
        elm_buf_printf(&text, HEAD "%s\n}\n", bad[i].body);
        expect(bad[i].body, run_tree(&r, text.ptr), bad[i].vm, bad[i].why_vm);
        expect(bad[i].body, run_text(&r, text.ptr, ELM_TIER_FAST), bad[i].tcc, bad[i].why_tcc);
        expect_right(bad[i].body, run_tree(&r, right));
        expect_right(bad[i].body, run_text(&r, right, ELM_TIER_FAST));
        elm_buf_release(&text);
    }
    /* 200 steps a question are allowed, 29 times 200 are not */
    const char *slow = HEAD "    for (int i = 0; i < 60; i++) {\n        a[0] += i;\n    }\n"
                            "    return 0.0;\n}\n";
    expect("total fuel", run_tree(&r, slow), ELM_EVAL_TIMEOUT, "steps");
    expect("exit", run_text(&r, "#include <stdlib.h>\n" HEAD "if (t == 2) exit(77); return 1; }\n",
                            ELM_TIER_FAST), ELM_EVAL_INVALID, "exited");
    expect_right("after all", run_tree(&r, right));
    close_rig(&r);
}

/* The judge may end at once; what was asked stands in the cost. */
static void test_early_end(void **state)
{
    (void)state;
    struct rig r = open_rig(score_yaml, score_judge, right, best.level);
    const char *quits = HEAD "    calls[0]++;\n    return calls[0] == 3 ? -1.0 : 0.0;\n}\n";
    for (int way = 0; way < 2; way++) {
        struct elm_evaluation e = way == 0 ? run_tree(&r, quits)
                                           : run_text(&r, quits, ELM_TIER_FAST);
        expect("quits", e, ELM_EVAL_OK, "");
        assert_true(e.measures[0] == 3 && e.passed == 0 && e.fitness < 0);
    }
    close_rig(&r);
}

/* Many of a batch, of all kinds, as each would fare alone. */
static void test_batch(void **state)
{
    (void)state;
    struct rig r = open_rig(score_yaml, score_judge, right, best.level);
    const char *crashes = HEAD "    return 100 / (t - 4);\n}\n";
    struct elm_tree good = parse(&r, right), bad = parse(&r, crashes);
    struct elm_job jobs[ELM_JOBS_MAX] = {{0}};
    for (uint32_t i = 0; i < ELM_JOBS_MAX; i++) {
        if (i % 2 == 0)
            jobs[i].tree = i % 4 == 0 ? &good : &bad;
        else
            jobs[i].text = elm_str(i % 4 == 1 ? right : crashes);
    }
    run(&r, jobs, ELM_JOBS_MAX, ELM_TIER_FAST);
    for (uint32_t i = 0; i < ELM_JOBS_MAX; i++) {
        if (i % 4 < 2)
            expect_right("of a batch", jobs[i].evaluation);
        else
            expect("of a batch", jobs[i].evaluation, ELM_EVAL_CRASHED, "division");
        assert_true(jobs[i].evaluation.in_vm == (i % 2 == 0));
    }
    struct elm_evaluator_totals totals;
    elm_evaluator_totals(r.e, &totals);
    assert_true(totals.restarts == 0 && totals.vm_runs == 32 && totals.tcc_runs == 32);
    elm_tree_release(&good);
    elm_tree_release(&bad);
    close_rig(&r);
}

static const char by_one[] = DUEL "    said[0] = other + 1;\n    return said[0];\n}\n";
static const char still[] = DUEL "    return 7;\n}\n";
static const char boasts[] = DUEL "    said[0]++;\n    return said[0] == 3 ? 200 : other + 1;\n}\n";
static const char falls[] = DUEL "    said[0]++;\n    return other + 1 / (said[0] - 3);\n}\n";

static void test_duel(void **state)
{
    (void)state;
    static const struct {
        const char *b, *a;
        int compared;
        enum elm_eval_status status;
    } duels[] = {
        {by_one, still, 1, ELM_EVAL_OK},  {still, by_one, -1, ELM_EVAL_OK},
        {by_one, by_one, 0, ELM_EVAL_OK}, {by_one, boasts, 1, ELM_EVAL_OK},
        {boasts, still, -1, ELM_EVAL_OK}, {still, falls, 1, ELM_EVAL_OK},
        {falls, still, 0, ELM_EVAL_CRASHED}, {falls, falls, 0, ELM_EVAL_CRASHED},
        {still, NULL, 0, ELM_EVAL_OK},    {falls, NULL, 0, ELM_EVAL_CRASHED},
    };
    struct rig r = open_rig(duel_yaml, duel_judge, still, best.level);
    for (size_t i = 0; i < ELM_COUNT(duels); i++) {
        /* each side in the virtual machine or compiled */
        for (int ways = 0; ways < 4; ways++) {
            struct elm_tree b = parse(&r, duels[i].b), a = {0};
            struct elm_job job = {0};
            if (duels[i].a != NULL)
                a = parse(&r, duels[i].a);
            if (ways & 1)
                job.tree = &b;
            else
                job.text = elm_str(duels[i].b);
            if (duels[i].a != NULL && (ways & 2))
                job.opponent = &a;
            else if (duels[i].a != NULL)
                job.opponent_text = elm_str(duels[i].a);
            run(&r, &job, 1, ELM_TIER_FAST);
            expect(duels[i].b, job.evaluation, duels[i].status, "");
            if (job.evaluation.compared != duels[i].compared)
                fail_msg("duel %zu, ways %d: %d", i, ways, job.evaluation.compared);
            elm_tree_release(&b);
            elm_tree_release(&a);
        }
    }
    struct elm_job gcc = {.text = elm_str(by_one), .opponent_text = elm_str(still)};
    run(&r, &gcc, 1, ELM_TIER_GCC);
    assert_int_equal(gcc.evaluation.compared, 1);
    struct elm_evaluator_totals totals;
    elm_evaluator_totals(r.e, &totals);
    assert_int_equal(totals.restarts, 0);
    close_rig(&r);
}

/* problem.yaml and judge.c have to agree on rounds. */
static void test_mismatch(void **state)
{
    (void)state;
    struct elm_error err = {0};
    struct elm_buf yaml = {0};
    struct elm_problem *p;
    struct elm_evaluator *e;
    char *program;
    elm_buf_printf(&yaml, "%s/p", folder);
    for (int i = 0; i < 2; i++) {
        put("problem.yaml", i == 0 ? "summary: x\nentry: \"double f(int x, int t, int out[2])\"\n"
                                     "io: {out: out}\n" : duel_yaml);
        put("judge.c", i == 0 ? score_judge :
            "#include \"elm/judge.h\"\n"
            "static int make(void *s, enum elm_set t, uint64_t x, int max, void *in)\n"
            "{ (void)s; (void)t; (void)x; (void)in; return max; }\n"
            "static int compare(const void *s, int n, const void *in, const void *a,\n"
            "  const struct elm_cost *ca, const void *b, const struct elm_cost *cb,\n"
            "  struct elm_result *r)\n"
            "{ (void)s; (void)n; (void)in; (void)a; (void)ca; (void)b; (void)cb; (void)r;\n"
            "  return 0; }\n"
            "const struct elm_judge elm_judge = {.version = ELM_JUDGE_VERSION, .in_bytes = 8,\n"
            "  .out_bytes = 8, .make = make, .compare = compare};\n");
        put("seed.c", i == 0 ? "double f(int x, int t, int *out)\n{\n    return 1.0;\n}\n" : still);
        assert_int_equal(elm_problem_load(yaml.ptr, NULL, &p, &err), ELM_OK);
        assert_int_equal(elm_judge_build(p, folder, &program, &err), ELM_OK);
        struct elm_evaluator_def def = {.keeper = keeper, .problem = p, .judge_path = program,
                                        .level = best.level};
        assert_int_equal(elm_evaluator_open(&def, &e, &err), ELM_PARSE);
        assert_non_null(strstr(err.message, i == 0 ? "defines next" : "does not define next"));
        elm_problem_free(p);
        free(program);
    }
    elm_buf_release(&yaml);
}

static int set_up(void **state)
{
    (void)state;
    struct elm_error err = {0};
    if (mkdtemp(folder) == NULL || elm_keeper_open(&keeper, &err) != ELM_OK ||
        elm_sandbox_probe(keeper, &best, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct elm_buf command = {0};
    elm_keeper_close(keeper);
    elm_buf_printf(&command, "rm -r '%s'", folder);
    int failed = system(command.ptr);
    elm_buf_release(&command);
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_early_end), cmocka_unit_test(test_batch),
        cmocka_unit_test(test_duel),      cmocka_unit_test(test_mismatch),
    };
    return cmocka_run_group_tests_name("rounds", tests, set_up, tear_down);
}
