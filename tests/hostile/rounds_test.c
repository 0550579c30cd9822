/*
 * hostile rounds: candidates that attack the game they play: they write where they may only read,
 * lie about having answered, stall, leave in the middle, look for the other side's questions and
 * for what the candidate before left behind. Each answers right only if its attack works, so none
 * may be rewarded; honest candidates before, between and after score as ever.
 */
#include "caps.h"
#include "elm/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LANES 6
#define ASKED 8
#define SCORE_FULL ((LANES - 1) * ASKED + 1)

#define OK (1u << ELM_EVAL_OK)
#define CRASHED (1u << ELM_EVAL_CRASHED)
#define TIMEOUT (1u << ELM_EVAL_TIMEOUT)
#define REFUSED (1u << ELM_EVAL_REFUSED)
#define INVALID (1u << ELM_EVAL_INVALID)

/* A lane wants the sum of its questions so far; the last lane is asked in the last round only. */
static const char score_yaml[] =
    "summary: adds up what it is asked\n"
    "entry: \"void f(int x, int t, int sum[4], int out[64])\"\n"
    "io: {sum: state, out: out}\nrunner: tcc\nrounds: 8\n"
    "cases: {shown: 6, scored: 6, audit: 6}\n"
    "limits: {cpu_ms: 20, memory_mb: 16}\n";
static const char score_judge[] =
    "#include \"elm/judge.h\"\n"
    "struct in { int x, t; };\nstruct out { int out[64]; };\n"
    "struct world { int right; int sum[6]; };\n"
    "static int make(void *s, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{ struct in *c = in; (void)s; for (int i = 0; i < max; i++) {\n"
    "  c[i].x = 0x51000 + 7 * i + (int)set + (int)seed; c[i].t = 0; } return max; }\n"
    "static int next(const void *s, void *world, int round, int n, const void *out, void *in,\n"
    "                uint8_t *live)\n"
    "{ struct world *w = world; const struct out *o = out; struct in *c = in; (void)s;\n"
    "  for (int i = 0; i < n; i++) {\n"
    "    if (round > 0 && live[i]) {\n"
    "      w->sum[i] += c[i].x; w->right += o[i].out[0] == w->sum[i];\n"
    "      c[i].x = (c[i].x * 31 + 17) % 65521; }\n"
    "    if (i == 5 && round == 7) c[i].x = w->sum[0];\n"
    "    c[i].t = round; live[i] = round < 8 && (i < 5 || round == 7); }\n"
    "  return round == 7 ? 6 : round < 7 ? 5 : 0; }\n"
    "static void score(const void *s, int n, const void *in, const void *out,\n"
    "                  const struct elm_cost *cost, struct elm_result *r)\n"
    "{ const struct world *w = out; (void)s; (void)in; (void)cost;\n"
    "  for (int i = 0; i < n; i++) r->pass[i] = w->right > 0;\n"
    "  r->fitness = w->right; }\n"
    "const struct elm_judge elm_judge = {.version = ELM_JUDGE_VERSION,\n"
    "  .in_bytes = sizeof(struct in), .out_bytes = sizeof(struct out),\n"
    "  .world_bytes = sizeof(struct world), .make = make, .next = next, .score = score};\n";

/* Who names the number that only the other was told wins. */
static const char duel_yaml[] =
    "summary: tell the other's secret\n"
    "entry: \"int f(int x, int t, int kept[4])\"\n"
    "io: {kept: state}\nrunner: tcc\njudge: compare\nrounds: 4\n"
    "cases: {shown: 4, scored: 4, audit: 4}\n"
    "limits: {cpu_ms: 100, memory_mb: 16}\n";
static const char duel_judge[] =
    "#include \"elm/judge.h\"\n"
    "struct in { int x, t; };\nstruct out { int value, unused; };\n"
    "struct world { int told[2]; };\n"
    "static int make(void *s, enum elm_set set, uint64_t seed, int max, void *in)\n"
    "{ struct in *c = in; (void)s; (void)seed; for (int i = 0; i < max; i++) {\n"
    "  c[i].x = 0x7a57e000 + 7 * i + 2 * (int)set; c[i].t = 0; } return max; }\n"
    "static int next(const void *s, void *world, int round, int n, const void *out, void *in,\n"
    "                uint8_t *live)\n"
    "{ struct world *w = world; const struct out *o = out; struct in *c = in;\n"
    "  (void)s; (void)live;\n"
    "  for (int i = 0; i < n && round > 0; i++) {\n"
    "    w->told[i % 2] += o[i].value == c[i ^ 1].x; c[i].t = round; }\n"
    "  return round < 4; }\n"
    "static int compare(const void *s, int n, const void *in, const void *a,\n"
    "  const struct elm_cost *cost_a, const void *b, const struct elm_cost *cost_b,\n"
    "  struct elm_result *r)\n"
    "{ const struct world *w = b; (void)s; (void)in; (void)a; (void)cost_a; (void)cost_b;\n"
    "  for (int i = 0; i < n; i++) r->pass[i] = w->told[1] > 0;\n"
    "  return w->told[1] > w->told[0] ? 1 : w->told[1] < w->told[0] ? -1 : 0; }\n"
    "const struct elm_judge elm_judge = {.version = ELM_JUDGE_VERSION,\n"
    "  .in_bytes = sizeof(struct in), .out_bytes = sizeof(struct out),\n"
    "  .world_bytes = sizeof(struct world), .make = make, .next = next, .compare = compare};\n";

/* board: the questions of this seat; on the stack is where those of one of the first lanes begin,
 * somewhere below it */
static const char prelude[] =
    "typedef unsigned char byte; typedef unsigned long word;\n"
    "static long sys(long n, long a, long b, long c)\n"
    "{ long r; asm volatile(\"syscall\" : \"=a\"(r) : \"a\"(n), \"D\"(a), \"S\"(b), \"d\"(c)\n"
    "  : \"rcx\", \"r11\", \"memory\"); return r; }\n"
    "static byte *board(void)\n"
    "{ word here = 0, *at = &here;\n"
    "  for (int i = 0; i < 4000; i++)\n"
    "    if ((at[i] >> 40 | 1) == 0x7f && (at[i] & 4095) >= 1024 && (at[i] & 4095) < 1080 &&\n"
    "        at[i] < (word)at - (1 << 26))\n"
    "      return (byte *)((at[i] & ~4095ul) + 1024);\n"
    "  return 0; }\n";

static const char honest[] =
    "void f(int x, int t, int *sum, int *out)\n"
    "{ double third = 1.0; for (int k = 1; k < 4; k++) if (sum[k] || out[k]) return;\n"
    "  for (int k = 4; k < 64; k++) if (out[k]) return;\n"
    "  sum[0] += x; out[0] = sum[0] + (third / 3.0 != 0.33333333333333331); out[1] = t; }\n";
static const char honest_duel[] = "int f(int x, int t, int *kept) { return kept[0]++ + x * 0; }\n";

static const struct attack {
    const char *name;
    uint32_t allowed;
    const char *source;
} attacks[] = {
    {"write_question", CRASHED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ int *q = (int *)board(); if (!q) return; for (int i = 0; i < 6; i++) q[2 * i] = 0;\n"
     "  out[0] = 0; }\n"},
    {"write_live", CRASHED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ byte *q = board(); if (!q) return; q[-1024] = 0; out[0] = sum[0] += x; }\n"},
    {"unprotect_question", REFUSED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ byte *q = board(); sys(10, (long)(q - 1024), 4096, 3); out[0] = sum[0] += x; }\n"},
    {"stall", TIMEOUT,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ word n; if (t == 2) sys(0, fd_asked(), (long)&n, 8); out[0] = 0; }\n"},
    {"spin_later", TIMEOUT,
     "void f(int x, int t, int *sum, int *out) { while (t == 3) { } out[0] = -1; }\n"},
    {"spin_after_answers", TIMEOUT,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ static int n; word one = 1; if (++n == 6) { sys(1, fd_answered(), (long)&one, 8);\n"
     "  for (;;) { } } }\n"},
    {"leave", INVALID,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ out[0] = sum[0] += x; if (t == 3) sys(231, 77, 0, 0); }\n"},
    {"leave_after_answer", INVALID,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ static int n; word one = 1; if (++n == 6) { sys(1, fd_answered(), (long)&one, 8);\n"
     "  sys(231, 77, 0, 0); } }\n"},
    {"crash_later", CRASHED,
     "void f(int x, int t, int *sum, int *out) { if (t == 2) *(int *)8 = 1; out[0] = -1; }\n"},
    {"answer_at_once", OK | INVALID | TIMEOUT,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ word one = 1; for (int i = 0; i < 100; i++) sys(1, fd_answered(), (long)&one, 8); }\n"},
    {"answer_for_ever", OK | INVALID | TIMEOUT,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ word one = 1; for (;;) sys(1, fd_answered(), (long)&one, 8); }\n"},
    {"fill_counter", OK | INVALID | TIMEOUT,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ word most = -2l; sys(1, fd_answered(), (long)&most, 8);\n"
     "  if (t == 4) sys(231, 0, 0, 0); }\n"},
    {"other_descriptors", REFUSED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ word one = 1; for (int fd = 0; fd < 40; fd++) if (fd != fd_answered())\n"
     "  sys(1, fd, (long)&one, 8); out[0] = sum[0] += x; }\n"},
    {"other_counter", REFUSED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ word one = 1; sys(1, fd_asked(), (long)&one, 8); out[0] = sum[0] += x; }\n"},
    {"other_length", REFUSED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ word one[2] = {1, 1}; sys(1, fd_answered(), (long)one, 16); out[0] = sum[0] += x; }\n"},
    {"huge_length", REFUSED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ word one = 1; sys(1, fd_answered(), (long)&one, 0x100000008); out[0] = sum[0] += x; }\n"},
    {"duplicate", REFUSED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ sys(32, fd_answered(), 0, 0); out[0] = sum[0] += x; }\n"},
    {"kill_all", REFUSED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ sys(62, -1, 9, 0); sys(62, 1, 9, 0); out[0] = sum[0] += x; }\n"},
    {"scribble_answers", OK | CRASHED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ for (int i = -2000; i < 2000; i++) out[i] = 0x5eed; }\n"},
    {"scribble_state", OK | CRASHED,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ for (int i = 0; i < 900; i++) sum[i] = 0x5eed; }\n"},
    {"plant", OK,
     "static int secret[9000];\n"
     "void f(int x, int t, int *sum, int *out)\n"
     "{ for (int i = 0; i < 9000; i++) secret[i] = 0x5eed; for (int i = 0; i < 64; i++)\n"
     "  out[i] = 0x5eed; sum[1] = sum[2] = sum[3] = 0x5eed; }\n"},
    {"thief", OK | CRASHED,
     "static int secret[9000];\n"
     "void f(int x, int t, int *sum, int *out)\n"
     "{ int found = 0; static int n; if (n++) { out[0] = -1; return; }\n"
     "  for (int i = 0; i < 64 * 6; i++) found |= out[i] == 0x5eed;\n"
     "  for (int i = 0; i < 4 * 6; i++) found |= sum[i] == 0x5eed;\n"
     "  for (int i = 0; i < 9000; i++) found |= secret[i] == 0x5eed;\n"
     "  out[0] = found ? x : -1; }\n"},
    /* as it is forked when it is asked first, the board already has its own first questions */
    {"early_look", OK,
     "void f(int x, int t, int *sum, int *out)\n"
     "{ static int n; int *q = (int *)board(); out[0] = -1; if (n++ || !q) return;\n"
     "  for (int i = 0; i < 6; i++) if (q[2 * i] != 0x51000 + 7 * i + 2) out[0] = x; }\n"},
};

/* Right only where board() finds its questions. */
static const char finder[] =
    "void f(int x, int t, int *sum, int *out)\n"
    "{ int *q = (int *)board(); sum[0] += x;\n"
    "  for (int i = 0; q && i < 6; i++) if (q[2 * i] == x) out[0] = sum[0]; }\n";

/* Looks at a page near its own board, AT pages off, for the other's questions. */
#define SPY_PAGES 12
static const char spy[] =
    "int f(int x, int t, int *kept)\n"
    "{ byte *at = board() - 1024 + AT * 4096; for (int i = 0; i < 4096; i += 4) {\n"
    "    int v = *(int *)(at + i);\n"
    "    if ((v & 0xffffff00) == 0x7a57e000 && (v ^ x) & 1) return v; }\n"
    "  return 0; }\n";

struct rig {
    struct elm_problem *problem;
    struct elm_evaluator *evaluator;
    char *judge;
    char folder[64];
};

struct fixture {
    struct elm_keeper *keeper;
    struct elm_sandbox_report report;
    struct rig score, duel;
    int level, complaints;
};

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

/* An attacker would find the numbers of its counters in the runner's memory; here they are known.
 * When they change, attacks that need them are refused, and this test fails. */
static void add_source(struct elm_buf *out, const struct rig *r, const char *source)
{
    int seat = r->problem->judge == ELM_JUDGE_COMPARE ? 1 : 0;
    elm_buf_printf(out, "%s#define fd_asked() %d\n#define fd_answered() %d\n%s", prelude, 6 + seat,
                   8 + seat, source);
}

static struct elm_evaluation run_one(struct rig *r, const char *source, const char *opponent)
{
    struct elm_error err = {0};
    struct elm_buf text = {0};
    add_source(&text, r, source);
    struct elm_job job = {.text = elm_buf_str(&text), .opponent_text = elm_str(opponent)};
    if (elm_evaluator_run(r->evaluator, &job, 1, ELM_SET_SCORED, ELM_TIER_FAST, &err) != ELM_OK)
        fail_msg("the evaluator gave up: %s", err.message);
    elm_buf_release(&text);
    return job.evaluation;
}

static void run_honest(struct fixture *x, const char *after)
{
    struct elm_evaluation e = run_one(&x->score, honest, NULL);
    if (e.status != ELM_EVAL_OK || e.fitness != SCORE_FULL)
        complain(x, "after %s an honest candidate got %s (%s), fitness %g", after,
                 elm_eval_status_name(e.status), e.why, e.fitness);
}

static void check_attack(struct fixture *x, const struct attack *a, const struct elm_evaluation *e)
{
    if ((a->allowed & 1u << e->status) == 0)
        complain(x, "%s got %s (%s)", a->name, elm_eval_status_name(e->status), e->why);
    if (e->status == ELM_EVAL_OK && e->fitness > 0)
        complain(x, "%s was rewarded: fitness %g", a->name, e->fitness);
}

/* Attacks and honest candidates in the same batch; but for the one that takes seconds. */
static void storm(struct fixture *x)
{
    struct elm_job jobs[ELM_JOBS_MAX];
    struct elm_buf texts[ELM_COUNT(attacks)];
    struct elm_error err = {0};
    uint32_t count = 0;
    for (size_t i = 0; i < ELM_COUNT(attacks); i++) {
        bool slow = strcmp(attacks[i].name, "stall") == 0;
        texts[i] = (struct elm_buf){0};
        add_source(&texts[i], &x->score, slow ? honest : attacks[i].source);
        jobs[count++] = (struct elm_job){.text = elm_buf_str(&texts[i])};
        jobs[count++] = (struct elm_job){.text = elm_str(honest)};
    }
    assert_int_equal(elm_evaluator_run(x->score.evaluator, jobs, count, ELM_SET_SCORED,
                                       ELM_TIER_FAST, &err), ELM_OK);
    for (uint32_t i = 0; i < count; i += 2) {
        const struct elm_evaluation *e = &jobs[i + 1].evaluation;
        if (strcmp(attacks[i / 2].name, "stall") != 0)
            check_attack(x, &attacks[i / 2], &jobs[i].evaluation);
        if (e->status != ELM_EVAL_OK || e->fitness != SCORE_FULL)
            complain(x, "with %s an honest candidate got %s", attacks[i / 2].name,
                     elm_eval_status_name(e->status));
        elm_buf_release(&texts[i / 2]);
    }
}

static void open_rig(struct fixture *x, struct rig *r)
{
    struct elm_error err = {0};
    struct elm_evaluator_def def = {.keeper = x->keeper, .problem = r->problem,
                                    .judge_path = r->judge, .level = x->level};
    if (elm_evaluator_open(&def, &r->evaluator, &err) != ELM_OK)
        fail_msg("%s", err.message);
}

static struct elm_evaluation spy_at(struct fixture *x, int at)
{
    struct elm_buf source = {0};
    elm_buf_printf(&source, "#define AT %d\n%s", at, spy);
    struct elm_evaluation e = run_one(&x->duel, source.ptr, honest_duel);
    elm_buf_release(&source);
    return e;
}

/* Where board() takes another word of the stack for the one it looks for, or none, attacks attack
 * nothing: then other processes have other addresses. */
static void open_where_board_is_found(struct fixture *x)
{
    struct elm_evaluation e;
    for (int tries = 0; tries < 8; tries++) {
        open_rig(x, &x->score);
        e = run_one(&x->score, finder, NULL);
        if (e.status == ELM_EVAL_OK && e.fitness == SCORE_FULL)
            return;
        elm_evaluator_close(x->score.evaluator);
    }
    fail_msg("level %d: attacks don't find the questions: %s (%s), fitness %g", x->level,
             elm_eval_status_name(e.status), e.why, e.fitness);
}

/* As for open_where_board_is_found. */
static void check_spies(struct fixture *x)
{
    struct elm_evaluation e = run_one(&x->duel, honest_duel, honest_duel);
    if (e.status != ELM_EVAL_OK || e.compared != 0)
        complain(x, "an honest duel: %s (%s), %d", elm_eval_status_name(e.status), e.why,
                 e.compared);
    for (int tries = 0; tries < 8 && spy_at(x, 0).status != ELM_EVAL_OK; tries++) {
        elm_evaluator_close(x->duel.evaluator);
        open_rig(x, &x->duel);
    }
    for (int at = -SPY_PAGES; at <= SPY_PAGES; at++) {
        e = spy_at(x, at);
        if ((e.status != ELM_EVAL_OK && e.status != ELM_EVAL_CRASHED) || e.compared > 0 ||
            (at == 0 && e.status != ELM_EVAL_OK))
            complain(x, "a spy at %d: %s (%s), %d", at, elm_eval_status_name(e.status), e.why,
                     e.compared);
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
    open_where_board_is_found(x);
    open_rig(x, &x->duel);
    run_honest(x, "nothing");
    for (size_t i = 0; i < ELM_COUNT(attacks); i++) {
        struct elm_evaluation e = run_one(&x->score, attacks[i].source, NULL);
        check_attack(x, &attacks[i], &e);
        run_honest(x, attacks[i].name);
    }
    storm(x);
    check_spies(x);
    for (int i = 0; i < 50; i++)
        run_honest(x, "all of them");
    struct elm_evaluator_totals totals;
    elm_evaluator_totals(x->score.evaluator, &totals);
    if (totals.restarts > 0)
        complain(x, "judge or runner died %llu times", (unsigned long long)totals.restarts);
    elm_evaluator_close(x->score.evaluator);
    elm_evaluator_close(x->duel.evaluator);
    assert_int_equal(x->complaints, 0);
}

static void rounds_level_3(void **state)
{
    run_level(*state, 3);
}

static void rounds_level_2(void **state)
{
    run_level(*state, 2);
}

static enum elm_status make_rig(struct rig *r, const char *yaml, const char *judge,
                                const char *seed, struct elm_error *err)
{
    snprintf(r->folder, sizeof(r->folder), "/tmp/elm-hostile-XXXXXX");
    if (mkdtemp(r->folder) == NULL)
        return elm_fail(err, ELM_IO, "cannot make a folder");
    write_file(r->folder, "problem.yaml", yaml);
    write_file(r->folder, "judge.c", judge);
    write_file(r->folder, "seed.c", seed);
    ELM_TRY(elm_problem_load(r->folder, NULL, &r->problem, err));
    return elm_judge_build(r->problem, r->folder, &r->judge, err);
}

static int set_up(void **state)
{
    struct fixture *x = elm_calloc(1, sizeof(*x));
    struct elm_error err = {0};
    if (elm_keeper_open(&x->keeper, &err) != ELM_OK ||
        make_rig(&x->score, score_yaml, score_judge, honest, &err) != ELM_OK ||
        make_rig(&x->duel, duel_yaml, duel_judge, honest_duel, &err) != ELM_OK ||
        elm_sandbox_probe(x->keeper, &x->report, &err) != ELM_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    struct rig *const rigs[] = {&x->score, &x->duel};
    int status = 0;
    for (int i = 0; i < 2; i++) {
        char command[128];
        elm_problem_free(rigs[i]->problem);
        free(rigs[i]->judge);
        snprintf(command, sizeof(command), "rm -rf %s", rigs[i]->folder);
        status |= system(command);
    }
    elm_keeper_close(x->keeper);
    free(x);
    return status;
}

static int body(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_level_3),
        cmocka_unit_test(rounds_level_2),
    };
    return cmocka_run_group_tests_name("hostile rounds", tests, set_up, tear_down);
}

int main(void)
{
    return caps_run(body, 300);
}
