/* search: the same archive for any number of workers, and wherever a run was cut and resumed. */
#include "search_fakes.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>


static enum elm_judge_kind judge_kind;
static const char *archive_name, *selector_name;
/* without those of the tree-edit model, which take most of the time */
#define QUICK "tree,semantic,constants,substitute"
static const char *backend_name, *script_path, *operator_names = QUICK;
static uint64_t evaluations = 2500;
static double model_share = 0.9;

static char problem_folder[] = "/tmp/elm-search-test-XXXXXX";

static const char seed_text[] =
    "int g(int a)\n{\n    return a + 1;\n}\n\n"
    "int f(int x, int y)\n{\n    int s = x;\n    for (int i = 0; i < 3; i++) {\n"
    "        s = s + y;\n    }\n    if (s > 10) {\n        s = g(s) * 2;\n    }\n"
    "    return s - 4;\n}\n";

static struct elm_problem *make_problem(void)
{
    struct elm_problem *p = elm_calloc(1, sizeof(*p));
    struct elm_error err = {0};
    static char name[] = "fake", empty[] = "", command[] = "true";
    p->name = name;
    p->folder = problem_folder;
    p->summary = p->description = p->variant = empty;
    p->judge = judge_kind;
    p->score_command = judge_kind == ELM_JUDGE_COMMAND ? command : NULL;
    p->names = elm_names_new();
    p->seed_text = elm_strdup(seed_text);
    p->io = (struct elm_io){.entry = "f", .returns = ELM_TYPE_INT, .param_count = 2,
                            .params = {{.name = "x", .type = ELM_TYPE_INT},
                                       {.name = "y", .type = ELM_TYPE_INT}}};
    if (elm_io_layout(&p->io, &err) != ELM_OK ||
        elm_tree_parse(elm_str(seed_text), p->names, &p->seed, &err) != ELM_OK ||
        elm_tree_check(&p->seed, p->names, &err) != ELM_OK)
        fail_msg("%s", err.message);
    p->nodes_max = 120;
    p->edit_nodes_max = 24;
    p->measure_count = 2;
    p->measures[0] = (struct elm_measure){"steps", 0, 100, 8, ELM_MEASURE_JUDGE};
    p->measures[1] = (struct elm_measure){"passed", 0, 13, 4, ELM_MEASURE_JUDGE};
    p->target = NAN;
    strcpy(p->archive, archive_name);
    strcpy(p->selector, selector_name);
    return p;
}

struct outcome {
    uint64_t hash, evaluations, attempts;
    double best;
};

/* One call of elm_search_run on fake_disk. */
static struct outcome run(uint32_t workers, bool resume, uint64_t budget, enum elm_keep keep,
                          enum elm_status wanted)
{
    struct elm_keeper keeper = {0};
    struct elm_problem *p = make_problem();
    struct elm_search_def def = elm_default_search_def();
    struct elm_error err = {0};
    struct elm_search *s;
    enum elm_search_end end;
    def.keeper = &keeper;
    def.problem = p;
    def.folder = "memory";
    def.resume = resume;
    def.workers = workers;
    def.evaluations = budget;
    def.seed = 5;
    def.keep = keep;
    def.snapshot_attempts = evaluations / 4;
    def.backend = backend_name;
    def.model.script = script_path;
    def.operators = operator_names;
    def.model_share = model_share;
    if (elm_search_open(&def, &s, &err) != ELM_OK)
        fail_msg("%s", err.message);
    enum elm_status status = elm_search_run(s, NULL, NULL, &end, &err);
    if (status != wanted)
        fail_msg("%d: %s", status, err.message);
    struct elm_search_stats stats;
    elm_search_stats(s, &stats);
    struct outcome o = {elm_search_hash(s), stats.evaluations, stats.attempts,
                        stats.archive.best};
    assert_int_equal(elm_search_close(s, &err), ELM_OK);
    elm_problem_free(p);
    return o;
}

static void same(struct outcome a, struct outcome b, const char *what, int64_t at)
{
    if (a.hash != b.hash || a.evaluations != b.evaluations || a.attempts != b.attempts)
        fail_msg("%s, %s, %s, cut at %lld: hash %016llx after %llu, not %016llx after %llu", what,
                 archive_name, selector_name, (long long)at, (unsigned long long)b.hash,
                 (unsigned long long)b.evaluations, (unsigned long long)a.hash,
                 (unsigned long long)a.evaluations);
}

static void use(enum elm_judge_kind judge, const char *archive, const char *selector)
{
    judge_kind = judge;
    archive_name = archive;
    selector_name = selector;
    fake_problem = make_problem;
    fake_noise = 0;
}

static struct elm_replay_report replayed(void)
{
    struct elm_replay_report report;
    struct elm_error err = {0};
    if (elm_search_replay("memory", NULL, &report, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return report;
}

static void workers_and_cuts(enum elm_keep keep, int64_t step)
{
    struct disk whole = {.refuse_after = -1}, part;
    fake_disk = &whole;
    struct outcome alone = run(1, false, evaluations, keep, ELM_OK);
    assert_true(alone.evaluations >= evaluations);
    assert_true(whole.snapshot_count > 1);
    assert_true((whole.calls > 0) == (backend_name != NULL));
    struct disk again = {.refuse_after = -1};
    fake_disk = &again;
    same(alone, run(3, false, evaluations, keep, ELM_OK), "three workers", -1);
    disk_clear(&again);
    int64_t last = whole.attempts[whole.count - 1].batch;
    for (int64_t cut = -1; cut <= last; cut += cut < 8 ? 1 : step) {
        disk_cut(&whole, cut, &part);
        fake_disk = &part;
        same(alone, run(2, true, evaluations, keep, ELM_OK), "resumed", cut);
        assert_int_equal(part.count, whole.count);
        /* what was answered before the cut is not asked again */
        assert_int_equal(part.calls, whole.calls);
        struct elm_replay_report report = replayed();
        assert_true(report.hash == alone.hash && report.recorded_hash == alone.hash);
        disk_clear(&part);
    }
    disk_clear(&whole);
}

static void scores(void **state)
{
    (void)state;
    use(ELM_JUDGE_COMMAND, "grid", "curiosity");
    workers_and_cuts(ELM_KEEP_ALL, 5);
    use(ELM_JUDGE_COMMAND, "topk", "uniform");
    workers_and_cuts(ELM_KEEP_ALL, 5);
    use(ELM_JUDGE_COMMAND, "cvt", "power");
    workers_and_cuts(ELM_KEEP_ALL, 40);
}

/* Small batches, so that programs migrate often and islands are renewed: a program may have several
 * places, and its children come late. */
static void islands(void **state)
{
    (void)state;
    use(ELM_JUDGE_COMMAND, "islands", "curiosity");
    workers_and_cuts(ELM_KEEP_ALL, 40);
    use(ELM_JUDGE_COMPARE, "islands", "power");
    workers_and_cuts(ELM_KEEP_ALL, 20);
}

/* What a program passes comes back from the log, and from a snapshot. */
static void lexicase(void **state)
{
    (void)state;
    use(ELM_JUDGE_SCORE, "islands", "lexicase");
    workers_and_cuts(ELM_KEEP_ALL, 20);
    use(ELM_JUDGE_COMPARE, "topk", "lexicase");
    workers_and_cuts(ELM_KEEP_ALL, 20);
    /* a command says nothing of cases */
    use(ELM_JUDGE_COMMAND, "grid", "lexicase");
    struct elm_keeper keeper = {0};
    struct elm_search_def def = elm_default_search_def();
    struct elm_error err = {0};
    struct elm_search *s;
    def.keeper = &keeper;
    def.problem = make_problem();
    assert_int_equal(elm_search_open(&def, &s, &err), ELM_USAGE);
    assert_non_null(strstr(err.message, "use --selector power"));
    struct elm_problem *p;
    memcpy(&p, &def.problem, sizeof(p));
    elm_problem_free(p);
}

/* A snapshot of another format is as good as none: the log has it all. */
static void other_format(void **state)
{
    (void)state;
    use(ELM_JUDGE_COMMAND, "grid", "curiosity");
    struct disk whole = {.refuse_after = -1}, part;
    fake_disk = &whole;
    struct outcome alone = run(1, false, 1500, ELM_KEEP_ALL, ELM_OK);
    disk_cut(&whole, whole.attempts[whole.count - 1].batch, &part);
    assert_true(part.snapshot_count > 0);
    for (uint32_t i = 0; i < part.snapshot_count; i++)
        part.snapshots[i].state.ptr[0] = 1;
    fake_disk = &part;
    same(alone, run(1, true, 1500, ELM_KEEP_ALL, ELM_OK), "from another format", 0);
    disk_clear(&part);
    disk_clear(&whole);
}

/* Only "b is better than a": duels, and rematches when the beaten one is gone already. */
static void comparisons(void **state)
{
    (void)state;
    use(ELM_JUDGE_COMPARE, "topk", "uniform");
    workers_and_cuts(ELM_KEEP_ALL, 5);
}

/* The tree-edit model among the others: what a group is sampled from outlives no cut. */
static void all_operators(void **state)
{
    (void)state;
    operator_names = NULL;
    evaluations = 1000;
    use(ELM_JUDGE_COMMAND, "grid", "uniform");
    workers_and_cuts(ELM_KEEP_ALL, 7);
    operator_names = QUICK;
    evaluations = 2500;
}

/* Batches of a model among those of other operators. */
static void asks_a_model(void **state)
{
    (void)state;
    backend_name = "scripted";
    operator_names = NULL;
    evaluations = 300;
    use(ELM_JUDGE_COMMAND, "grid", "uniform");
    workers_and_cuts(ELM_KEEP_ALL, 9);
    use(ELM_JUDGE_COMPARE, "topk", "uniform");
    workers_and_cuts(ELM_KEEP_ALL, 9);
    backend_name = NULL;
    operator_names = QUICK;
    evaluations = 2500;
}

/* Programs with functions and variables that nothing named before, each met again and again: what is
 * seen, kept in the pool and deleted is known by it, wherever the run is cut. */
static void new_names(void **state)
{
    (void)state;
    static const char *const bodies[] = {"a * a", "a + 3", "a - 7", "a * 3 - 7", "a / 2"};
    char path[] = "/tmp/elm-search-script-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    for (int i = 0; i < 200; i++) {
        fprintf(f, "%s```c\nint help_%d(int a)\n{\n    return %s;\n}\n\nint f(int x, int y)\n{\n"
                "    int v%d = help_%d(x) + %d * y;\n    if (v%d > %d) {\n        int w%d = v%d - %d;\n"
                "        v%d = w%d;\n    }\n    return v%d;\n}\n```\n", i > 0 ? "%%\n" : "", i,
                bodies[i % 5], i, i, i % 3, i, i % 4, 200 - i, i, i % 2, i, 200 - i, i);
    }
    fclose(f);
    backend_name = "scripted";
    script_path = path;
    operator_names = "tree,rewrite";
    evaluations = 400;
    model_share = 0.3;
    use(ELM_JUDGE_COMMAND, "grid", "uniform");
    workers_and_cuts(ELM_KEEP_ALL, 12);
    unlink(path);
    backend_name = script_path = NULL;
    operator_names = QUICK;
    evaluations = 2500;
    model_share = 0.9;
}

static void without_edits(void **state)
{
    (void)state;
    use(ELM_JUDGE_COMMAND, "grid", "uniform");
    workers_and_cuts(ELM_KEEP_GOOD, 5);
}

/* A run that is asked for no more than it has leaves what it recorded. */
static void nothing_to_do(void **state)
{
    (void)state;
    use(ELM_JUDGE_COMMAND, "topk", "curiosity");
    struct disk disk = {.refuse_after = -1};
    fake_disk = &disk;
    struct outcome done = run(1, false, 600, ELM_KEEP_ALL, ELM_OK);
    run(1, true, 100, ELM_KEEP_ALL, ELM_OK);
    assert_true(replayed().recorded_hash == done.hash);
    disk_clear(&disk);
}

/* A disk that fills: the run fails, nothing told is lost, and it goes on where there is room. */
static void full_disk(void **state)
{
    (void)state;
    use(ELM_JUDGE_COMMAND, "grid", "curiosity");
    struct disk disk = {.refuse_after = -1}, other = {.refuse_after = -1};
    fake_disk = &other;
    struct outcome whole = run(1, false, 1000, ELM_KEEP_ALL, ELM_OK);
    fake_disk = &disk;
    run(1, false, 200, ELM_KEEP_ALL, ELM_OK);
    disk.refuse_after = 7;
    run(1, true, 1000, ELM_KEEP_ALL, ELM_FULL);
    replayed();
    disk.refuse_after = -1;
    same(whole, run(2, true, 1000, ELM_KEEP_ALL, ELM_OK), "after a full disk", 0);
    disk_clear(&disk);
    disk_clear(&other);
}

/* Scores that differ each time: the log alone decides what the archive was. */
static void noisy(void **state)
{
    (void)state;
    use(ELM_JUDGE_COMMAND, "topk", "curiosity");
    fake_noise = 0.05;
    struct disk disk = {.refuse_after = -1};
    fake_disk = &disk;
    struct outcome o = run(2, false, 300, ELM_KEEP_ALL, ELM_OK);
    o = run(2, true, 600, ELM_KEEP_ALL, ELM_OK);
    struct elm_replay_report report = replayed();
    assert_true(report.hash == o.hash && report.recorded_hash == o.hash);
    disk_clear(&disk);
}

/* The files whose hash a run remembers. */
static int make_folder(void **state)
{
    (void)state;
    char path[80];
    if (mkdtemp(problem_folder) == NULL)
        return -1;
    static const char *const files[] = {"judge.c", "problem.yaml"};
    for (size_t i = 0; i < ELM_COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", problem_folder, files[i]);
        if (elm_file_write(path, ELM_STR("fake\n"), NULL) != ELM_OK)
            return -1;
    }
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[80];
    snprintf(path, sizeof(path), "%s/judge.c", problem_folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/problem.yaml", problem_folder);
    unlink(path);
    return rmdir(problem_folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores),        cmocka_unit_test(comparisons),
        cmocka_unit_test(all_operators), cmocka_unit_test(asks_a_model),  cmocka_unit_test(islands),
        cmocka_unit_test(new_names),
        cmocka_unit_test(lexicase),      cmocka_unit_test(other_format),
        cmocka_unit_test(without_edits),
        cmocka_unit_test(nothing_to_do), cmocka_unit_test(full_disk),
        cmocka_unit_test(noisy),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
