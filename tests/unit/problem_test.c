/* problem: folders loaded, refused with the place of the mistake, listed, scaffolded. */
#include "elm/problem.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char seed[] = "int f(int a, int b)\n{\n    return a;\n}\n";
static const char good[] = "summary: a sum\nentry: \"int f(int a, int b)\"\n";

struct room {
    char path[64];
};

static void remove_all(const char *path)
{
    struct elm_buf command = {0};
    elm_buf_printf(&command, "rm -rf '%s'", path);
    assert_int_equal(system(command.ptr), 0);
    elm_buf_release(&command);
}

static int open_room(void **state)
{
    struct room *r = elm_calloc(1, sizeof(*r));
    strcpy(r->path, "/tmp/elm-problem-XXXXXX");
    *state = r;
    return mkdtemp(r->path) == NULL;
}

static int close_room(void **state)
{
    struct room *r = *state;
    remove_all(r->path);
    free(r);
    return 0;
}

static void put(const struct room *r, const char *folder, const char *file, const char *text)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", r->path, folder);
    mkdir(path.ptr, 0755);
    elm_buf_printf(&path, "/%s", file);
    assert_int_equal(elm_file_write(path.ptr, elm_str(text), NULL), ELM_OK);
    elm_buf_release(&path);
}

static void put_problem(const struct room *r, const char *folder, const char *yaml)
{
    put(r, folder, "problem.yaml", yaml);
    put(r, folder, "seed.c", seed);
    put(r, folder, "judge.c", "");
}

static struct elm_problem *load(const struct room *r, const char *name)
{
    struct elm_problem *p = NULL;
    struct elm_error err = {0};
    if (elm_problem_load(name, r->path, &p, &err) != ELM_OK)
        fail_msg("%s: %s", name, err.message);
    return p;
}

/* Loading fails with the status, and the message holds the text. */
static void refuses(const struct room *r, const char *name, enum elm_status status,
                    const char *text)
{
    struct elm_problem *p = NULL;
    struct elm_error err = {0};
    enum elm_status got = elm_problem_load(name, r->path, &p, &err);
    if (got != status || strstr(err.message, text) == NULL)
        fail_msg("%s: wanted %d \"%s\", got %d \"%s\"", name, status, text, got, err.message);
}

static void refuses_yaml(const struct room *r, const char *yaml, const char *text)
{
    put_problem(r, "bad", yaml);
    refuses(r, "bad", ELM_PARSE, text);
}

static void loads_defaults(void **state)
{
    const struct room *r = *state;
    put_problem(r, "sum", good);
    struct elm_problem *p = load(r, "sum");
    assert_string_equal(p->name, "sum");
    assert_string_equal(p->summary, "a sum");
    assert_string_equal(p->variant, "");
    assert_string_equal(p->description, "");
    assert_string_equal(p->io.entry, "f");
    assert_int_equal(p->io.param_count, 2);
    assert_int_equal(p->io.in_bytes, 8);
    assert_int_equal(p->io.out_bytes, 8);
    assert_int_equal(p->case_count[ELM_SET_SHOWN], 64);
    assert_true(isnan(p->target) && isnan(p->best_known) && isnan(p->reference_fitness));
    assert_string_equal(p->archive, "rooted");
    assert_true(p->seed.count > 0);
    assert_null(p->seed_outside);
    assert_null(p->reference_text);
    elm_problem_free(p);
    /* by path, from anywhere */
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/sum/", r->path);
    p = load(r, path.ptr);
    assert_string_equal(p->name, "sum");
    assert_int_equal(p->folder[0], '/');
    elm_problem_free(p);
    elm_buf_release(&path);
}

static void loads_everything(void **state)
{
    const struct room *r = *state;
    put_problem(r, "full",
                "summary: all keys\n"
                "entry: \"double f(int n, double a[3][4], int log[5], double w[2], double m[2])\"\n"
                "io: {log: out, w: inout, m: state}\n"
                "judge: compare\nrunner: tcc\nneeds_steps: true\n"
                "cases: {shown: 50, scored: 51, audit: 52}\ncase_seed: 0x10\n"
                "rounds: 13\n"
                "limits: {fuel: 7, total_fuel: 70, cpu_ms: 8, memory_mb: 9, nodes: 110,\n"
                "  edit_nodes: 11}\n"
                "measures:\n  - {name: width, lo: -1, hi: 1.5, bins: 3}\n"
                "  - {name: size, from: nodes, lo: 0, hi: 9, bins: 4}\n"
                "target: 2\nbest_known: 3.5\nbest_known_source: a book\ntolerance: 1e-9\n"
                "hardness: 4\narchive: topk\nselector: curiosity\nevaluations: 12\n");
    put(r, "full", "seed.c", "double f(int n, double a[3][4], int log[5], double *w, double *m)\n"
                             "{\n    return w[0];\n}\n");
    put(r, "full", "description.md", "words\n");
    struct elm_problem *p = load(r, "full");
    assert_int_equal(p->judge, ELM_JUDGE_COMPARE);
    assert_int_equal(p->runner, ELM_RUNNER_TCC);
    assert_true(p->needs_steps);
    assert_int_equal(p->io.params[1].dims[1], 4);
    assert_int_equal(p->io.params[1].direction, ELM_IO_IN);
    assert_int_equal(p->io.params[2].direction, ELM_IO_OUT);
    assert_int_equal(p->io.params[3].direction, ELM_IO_INOUT);
    assert_int_equal(p->case_count[ELM_SET_AUDIT], 52);
    assert_int_equal(p->case_seed, 16);
    assert_int_equal(p->io.params[4].direction, ELM_IO_STATE);
    assert_int_equal(p->io.state_bytes, 16);
    assert_int_equal(p->rounds, 13);
    assert_true(p->fuel == 7 && p->total_fuel == 70);
    assert_int_equal(p->nodes_max, 110);
    assert_int_equal(p->measure_count, 2);
    assert_int_equal(p->measures[1].source, ELM_MEASURE_NODES);
    assert_float_equal(p->measures[0].hi, 1.5, 0);
    assert_float_equal(p->best_known, 3.5, 0);
    assert_float_equal(p->hardness, 4, 0);
    assert_string_equal(p->best_known_source, "a book");
    assert_string_equal(p->description, "words\n");
    assert_string_equal(p->selector, "curiosity");
    assert_int_equal(p->budget_evaluations, 12);
    elm_problem_free(p);
}

static void chooses_variants(void **state)
{
    const struct room *r = *state;
    put_problem(r, "many",
                "summary: all\nentry: \"int f(int a, int b)\"\ntarget: 1\nreference_fitness: 1\n"
                "variants:\n  easy: {seed: other.c, target: 5}\n"
                "  hard: {case_seed: 18446744073709551615, summary: only hard}\n");
    put(r, "many", "other.c", "int f(int a, int b)\n{\n    return b;\n}\n");
    put(r, "many", "reference.c", "int f(int a, int b)\n{\n    return a + b;\n}\n");
    struct elm_problem *p = load(r, "many");
    assert_int_equal(p->variant_count, 2);
    assert_string_equal(p->variants[1], "hard");
    assert_float_equal(p->target, 1, 0);
    elm_problem_free(p);
    p = load(r, "many:easy");
    assert_string_equal(p->variant, "easy");
    assert_string_equal(p->name, "many");
    assert_float_equal(p->target, 5, 0);
    assert_non_null(strstr(p->seed_text, "return b"));
    assert_non_null(p->reference_text);
    elm_problem_free(p);
    p = load(r, "many:hard");
    assert_true(p->case_seed == UINT64_MAX);
    assert_string_equal(p->summary, "only hard");
    /* another target has another solution */
    assert_null(p->reference_text);
    assert_true(isnan(p->reference_fitness));
    elm_problem_free(p);
    refuses(r, "many:hrad", ELM_NOT_FOUND, "no variant 'hrad', did you mean hard; it has easy, hard");
}

static void names_the_mistake(void **state)
{
    const struct room *r = *state;
    static const char *const bad[][2] = {
        {"summary: x\nentry: \"int f(int a, int b)\"\nlimit: {fuel: 1}\n",
         "/bad/problem.yaml:3:1: key 'limit': unknown; did you mean 'limits'?"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nzebra: 1\n", "unknown; allowed are summary"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nlimits:\n  fuel: 0\n",
         ":4:3: key 'fuel': a whole number from 1 to 1e+12 is allowed, not '0'"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nlimits: {nodes: 99999}\n", "4096 is allowed"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nlimits: {nodes: -5}\n", "not '-5'"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nlimits: {nodes: 5x}\n", "not '5x'"},
        {"summary: x\nentry: \"int f(int a, int b)\"\ncase_seed: 99999999999999999999\n",
         "whole number"},
        {"summary: x\nentry: \"int f(int a, int b)\"\ntarget: nan\n", "a number from"},
        {"summary: x\nentry: \"int f(int a, int b)\"\ntarget: [1]\n", "a single value is allowed"},
        {"summary: x\nentry: \"int f(int a, int b)\"\njudge: duel\n",
         "one of score, compare, reference is allowed, not 'duel'"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nneeds_steps: yes\n", "true or false"},
        {"summary: x\nentry: \"int f(int a, int b)\"\narchive: gird\n",
         ":3:1: key 'archive': one of best_of, cvt, grid, islands, rooted, sequential, topk is allowed, not 'gird'"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nmeasures: [{name: a, lo: 2, hi: 1}]\n",
         "lo below hi"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nmeasures: [{name: a, lo: 0, hi: 1, bins: 0}]\n",
         "from 1 to 256"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nmeasures: [1]\n", "a map of keys"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nmeasures: [{name: a, lo: 0, hi: 1, bins: 256}, "
         "{name: b, lo: 0, hi: 1, bins: 256}, {name: c, lo: 0, hi: 1, bins: 17}]\n",
         "1114112 cells"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nniches: 1\n", "niches"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nio: {a: out}\n", "no arrays"},
        {"summary: x\nentry: \"int f(int a[3])\"\nio: {b: out}\n", "allowed are a"},
        {"summary: x\nentry: \"void f(int a[3])\"\n", "nothing comes back"},
        {"summary: x\nentry: \"int f(int a[3])\"\nio: {a: state}\n", "only where there are `rounds:`"},
        {"summary: x\nrounds: 5\nentry: \"void f(int a[3])\"\nio: {a: state}\n",
         "nothing comes back"},
        {"summary: x\nrounds: 5\nentry: \"int f(int a[9000])\"\nio: {a: state}\n"
         "cases: {shown: 900}\n", "900 lanes with 36000 bytes of state"},
        {"summary: x\nrounds: 0\n", "from 1 to 100000"},
        {"summary: x\nentry: \"int f(int a[])\"\n", "array 'a' needs its size"},
        {"summary: x\nentry: \"int f(char a)\"\n", "key 'entry': 'int f(char a)' is no function"},
        {"summary: x\nentry: \"int f(int a) { } int g(int b)\"\n", "one function head"},
        {"summary: x\nentry: \"int f(double a[400][400])\"\n", "1 MiB each is allowed"},
        {"summary: x\nentry: \"int f(double a[65535])\"\ncases: {shown: 1024}\n", "64 MiB allowed"},
        {"entry: \"int f(int a, int b)\"\n", "key 'summary' is missing"},
        {"summary: x\n", "key 'entry' is missing"},
        {"summary: x\nsummary: y\n", ":2:1: key 'summary': given twice"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nseed: ../x.c\n", "name of a file"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nvariants: {b: {cases: 1}}\n",
         "key 'cases': unknown"},
        {"summary: x\nentry: \"int f(int a, int b)\"\nvariants: {\"a/b\": {target: 1}}\n",
         "no name for a variant"},
    };
    for (size_t i = 0; i < ELM_COUNT(bad); i++)
        refuses_yaml(r, bad[i][0], bad[i][1]);
}

static void survives_hostile_yaml(void **state)
{
    const struct room *r = *state;
    static const char *const bad[][2] = {
        {"", "`key: value` lines"}, {"- a\n", "`key: value` lines"}, {"a: [\n", "problem.yaml:2:1"},
        {"\t: x\n", "problem.yaml:1:1"}, {"a: &x 1\nb: *x\n", "anchors and tags"},
        {"a: !!python/object:os.system x\n", "anchors and tags"}, {"a: *x\n", "aliases"},
        {"a: 1\n---\nb: 2\n", "a second document"}, {"[a, b]: 1\n", "a key must be a word"},
        {"a: \"\\0\"\n", "a zero byte"}, {"a: \xff\xfe\n", "problem.yaml:"},
        {"\"a\\e[2J\": 1\n", "a key must be a word"}, {"%TAG\n", "problem.yaml:1"},
    };
    for (size_t i = 0; i < ELM_COUNT(bad); i++)
        refuses_yaml(r, bad[i][0], bad[i][1]);
    struct elm_buf deep = {0};
    elm_buf_printf(&deep, "a: ");
    for (int i = 0; i < 20000; i++)
        elm_buf_byte(&deep, '[');
    refuses_yaml(r, deep.ptr, "nested too deep");
    elm_buf_clear(&deep);
    elm_buf_printf(&deep, "a: [");
    for (int i = 0; i < 20000; i++)
        elm_buf_printf(&deep, "1,");
    refuses_yaml(r, deep.ptr, "too many values");
    for (int i = 0; i < 70000; i++)
        elm_buf_byte(&deep, ' ');
    put_problem(r, "bad", deep.ptr);
    refuses(r, "bad", ELM_RANGE, "larger than the 65536 bytes");
    elm_buf_release(&deep);
    /* bytes of a good file turned around: any status, no crash */
    struct elm_rng rng = elm_rng(1, 0);
    for (int i = 0; i < 300; i++) {
        char text[sizeof(good)];
        memcpy(text, good, sizeof(good));
        for (int k = 0; k < 3; k++)
            text[elm_rng_below(&rng, sizeof(good) - 1)] = (char)(1 + elm_rng_below(&rng, 255));
        struct elm_problem *p = NULL;
        put_problem(r, "bad", text);
        if (elm_problem_load("bad", r->path, &p, NULL) == ELM_OK)
            elm_problem_free(p);
    }
}

static void checks_the_files(void **state)
{
    const struct room *r = *state;
    put(r, "files", "problem.yaml", good);
    refuses(r, "files", ELM_NOT_FOUND, "files/seed.c");
    put(r, "files", "seed.c", seed);
    refuses(r, "files", ELM_NOT_FOUND, "files/judge.c");
    put(r, "files", "judge.c", "");
    put(r, "files", "seed.c", "int f(int a)\n{\n    return a;\n}\n");
    refuses(r, "files", ELM_PARSE, "files/seed.c: 'f' returns or takes other things");
    put(r, "files", "seed.c", "int g(int a)\n{\n    return a;\n}\n");
    refuses(r, "files", ELM_NOT_FOUND, "there is no function 'f'");
    /* outside core C is text, unless steps are counted */
    put(r, "files", "seed.c", "static int z;\nint f(int a, int b)\n{\n    return a + b + z;\n}\n");
    struct elm_problem *p = load(r, "files");
    assert_int_equal(p->seed.count, 0);
    assert_non_null(strstr(p->seed_outside, "line 1"));
    elm_problem_free(p);
    put(r, "files", "problem.yaml",
        "summary: x\nentry: \"int f(int a, int b)\"\nneeds_steps: true\n");
    refuses(r, "files", ELM_OUTSIDE, "files/seed.c: line 1");
    put(r, "files", "problem.yaml",
        "summary: x\nentry: \"int f(int a, int b)\"\nlimits: {nodes: 5}\n");
    put(r, "files", "seed.c", seed);
    refuses(r, "files", ELM_RANGE, "raise `nodes` under `limits:`");
    /* a pipe is refused, not waited for */
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/files/seed.c", r->path);
    unlink(path.ptr);
    assert_int_equal(mkfifo(path.ptr, 0600), 0);
    refuses(r, "files", ELM_IO, "is not a file");
    elm_buf_release(&path);
}

static void finds_names(void **state)
{
    const struct room *r = *state;
    put_problem(r, "alpha", good);
    refuses(r, "alhpa", ELM_NOT_FOUND, "did you mean 'alpha'?");
    refuses(r, "quite-another", ELM_NOT_FOUND, "`elm problems` lists them");
    refuses(r, "./alpha", ELM_NOT_FOUND, "there is no './alpha/problem.yaml'");
    refuses(r, "", ELM_USAGE, "is no name");
    refuses(r, "a b", ELM_USAGE, "is no name");
    refuses(r, "..", ELM_NOT_FOUND, "problem.yaml");
    /* the first folder of the path wins */
    struct elm_buf both = {0};
    put(r, "other", "x", "");
    put(r, "other/alpha", "problem.yaml", "summary: second\nentry: \"int f(int a, int b)\"\n");
    elm_buf_printf(&both, ":/nonexistent::%s:%s/other", r->path, r->path);
    struct elm_problem *p = NULL;
    assert_int_equal(elm_problem_load("alpha", both.ptr, &p, NULL), ELM_OK);
    assert_string_equal(p->summary, "a sum");
    elm_problem_free(p);
    elm_buf_release(&both);
}

static void note(void *ctx, const char *name, const char *summary, const char *folder)
{
    (void)folder;
    elm_buf_printf(ctx, "%s=%s;", name, summary);
}

static void lists(void **state)
{
    const struct room *r = *state;
    put_problem(r, "b", good);
    put_problem(r, "a", "summary: first\n");
    put_problem(r, "c", "summary: [\n");
    put(r, "no-problem", "seed.c", seed);
    struct elm_buf list = {0};
    assert_int_equal(elm_problem_list(r->path, note, &list, NULL), ELM_OK);
    const char *a = strstr(list.ptr, "a=first;"), *b = strstr(list.ptr, "b=a sum;");
    assert_true(a != NULL && b > a);
    assert_non_null(strstr(list.ptr, "c/problem.yaml:2:1"));
    assert_null(strstr(list.ptr, "no-problem"));
    elm_buf_release(&list);
}

static void scaffolds(void **state)
{
    const struct room *r = *state;
    struct elm_buf path = {0};
    struct elm_error err;
    elm_buf_printf(&path, "%s/fresh/", r->path);
    assert_int_equal(elm_problem_scaffold(path.ptr, &err), ELM_OK);
    struct elm_problem *p = load(r, "fresh");
    assert_true(p->seed.count > 0);
    assert_non_null(p->reference_text);
    elm_problem_free(p);
    assert_int_equal(elm_problem_scaffold(path.ptr, &err), ELM_EXISTS);
    elm_buf_clear(&path);
    elm_buf_printf(&path, "%s/no/such/folder", r->path);
    assert_int_equal(elm_problem_scaffold(path.ptr, &err), ELM_IO);
    assert_int_equal(elm_problem_scaffold("a:b", &err), ELM_USAGE);
    elm_buf_release(&path);
}

static void takes_one_file(void **state)
{
    const struct room *r = *state;
    struct elm_problem *p;
    struct elm_error err;
    struct elm_buf path = {0};
    put(r, "one", "f.c", seed);
    put(r, "one", "f.py", "print(1)\n");
    put(r, "one", "g.c", "#define X 1\nint x = X;\n");
    elm_buf_printf(&path, "%s/one/f.c", r->path);
    assert_int_equal(elm_problem_from_file(path.ptr, "./bench.sh", &p, &err), ELM_OK);
    assert_string_equal(p->name, "f.c");
    assert_string_equal(p->score_command, "./bench.sh");
    assert_int_equal(p->judge, ELM_JUDGE_COMMAND);
    assert_true(p->seed.count > 0);
    assert_non_null(strstr(p->folder, "/one"));
    elm_problem_free(p);
    assert_int_equal(elm_problem_from_file(path.ptr, "  ", &p, &err), ELM_USAGE);
    static const char *const text_only[] = {"f.py", "g.c"};
    for (size_t i = 0; i < ELM_COUNT(text_only); i++) {
        elm_buf_clear(&path);
        elm_buf_printf(&path, "%s/one/%s", r->path, text_only[i]);
        assert_int_equal(elm_problem_from_file(path.ptr, "true", &p, &err), ELM_OK);
        assert_int_equal(p->seed.count, 0);
        assert_non_null(p->seed_outside);
        elm_problem_free(p);
    }
    assert_int_equal(elm_problem_from_file("/nonexistent.c", "true", &p, &err), ELM_NOT_FOUND);
    assert_int_equal(elm_problem_from_file(r->path, "true", &p, &err), ELM_IO);
    elm_buf_release(&path);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_room, close_room)
    const struct CMUnitTest tests[] = {
        TEST(loads_defaults), TEST(loads_everything),      TEST(chooses_variants),
        TEST(names_the_mistake), TEST(survives_hostile_yaml), TEST(checks_the_files),
        TEST(finds_names),    TEST(lists),                 TEST(scaffolds),
        TEST(takes_one_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
