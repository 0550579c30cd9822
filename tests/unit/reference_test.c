/*
 * reference: problems whose judge is a reference. The judge that elm writes and the task in memory
 * give the same cases and the same scores; the hand-written functions are what they claim.
 */
#include "elm/sandbox.h"
#include "elm/task.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FUNCTIONS_MAX 100
#define VARIANTS_MAX 8

static struct elm_keeper *keeper;
static struct elm_vm_memory *vm;
static char folder[] = "/tmp/elm-reference-XXXXXX";

static void must(const char *name, enum elm_status status, const struct elm_error *err)
{
    if (status != ELM_OK)
        fail_msg("%s: %s", name, err->message);
}

/* ---- caged judge and task ---- */

static void same_as_caged(const char *name, struct elm_problem *p)
{
    struct elm_error err;
    struct elm_task t;
    struct elm_evaluator *e;
    struct elm_sandbox_report report;
    char *judge;
    must(name, elm_task_open(p, &t, &err), &err);
    must(name, elm_judge_build(p, folder, &judge, &err), &err);
    must(name, elm_sandbox_probe(keeper, &report, &err), &err);
    struct elm_evaluator_def def = {.keeper = keeper, .problem = p, .judge_path = judge,
                                    .level = report.level > 0 ? report.level : 1};
    must(name, elm_evaluator_open(&def, &e, &err), &err);
    uint32_t n;
    const void *in, *want;
    const uint8_t *mask;
    elm_evaluator_evidence(e, &n, &in, &want, &mask);
    assert_int_equal(n, t.evidence.case_count);
    assert_memory_equal(in, t.evidence.in, n * p->io.in_bytes);
    assert_memory_equal(want, t.evidence.want, n * p->io.out_bytes);
    assert_memory_equal(mask, t.evidence.want_mask, n * p->io.out_bytes);
    const struct elm_tree *programs[] = {&p->seed, &t.reference};
    for (int set = 0; set < ELM_SETS; set++) {
        for (size_t i = 0; i < ELM_COUNT(programs); i++) {
            struct elm_job job = {.tree = programs[i]};
            uint8_t passes[ELM_CASES_MAX / 8 + 1];
            must(name, elm_evaluator_run(e, &job, 1, (enum elm_set)set, ELM_TIER_FAST, &err), &err);
            double fitness = elm_task_score(&t, programs[i], (enum elm_set)set, vm, passes);
            assert_int_equal(job.evaluation.status, ELM_EVAL_OK);
            if (job.evaluation.fitness != fitness)
                fail_msg("%s: %.17g by the judge, %.17g in memory", name, job.evaluation.fitness,
                         fitness);
            for (uint32_t c = 0; c < job.evaluation.cases; c++)
                assert_int_equal(elm_evaluator_passes(e, 0)[c], passes[c / 8] >> (c % 8) & 1);
        }
    }
    struct elm_job job = {.tree = &p->seed};
    struct elm_buf text = {0};
    must(name, elm_evaluator_explain(e, &job, 1, &text, &err), &err);
    assert_non_null(strstr(text.ptr, ": wanted "));
    elm_buf_release(&text);
    elm_evaluator_close(e);
    free(judge);
    elm_task_release(&t);
}

static void hand_written_judges(void **state)
{
    (void)state;
    static const char *const names[] = {"functions/gcd:2", "functions/prefix:1", "functions/horner:3",
                                        "functions/triangle_area:1", "functions-new/mat2_multiply:3",
                                        "functions-new/box_blur:2"};
    for (size_t i = 0; i < ELM_COUNT(names); i++) {
        struct elm_problem *p;
        struct elm_error err;
        must(names[i], elm_problem_load(names[i], NULL, &p, &err), &err);
        same_as_caged(names[i], p);
        elm_problem_free(p);
    }
}

static void written_tasks(void **state)
{
    (void)state;
    struct elm_generator_def def = {.stream = ELM_STREAM_REPORT, .seed = 3, .corruptions_min = 2,
                                    .corruptions_max = 4};
    struct elm_generator *g;
    struct elm_error err;
    must("generator", elm_generator_open(&def, &g, &err), &err);
    for (uint64_t i = 0; i < 4; i++) {
        const struct elm_task *t = elm_generator_task(g, i);
        struct elm_buf path = {0};
        struct elm_problem *p;
        struct elm_task again;
        elm_buf_printf(&path, "%s/task-%d", folder, (int)i);
        must(path.ptr, elm_task_write(t, path.ptr, &err), &err);
        assert_int_equal(elm_task_write(t, path.ptr, &err), ELM_EXISTS);
        must(path.ptr, elm_problem_load(path.ptr, NULL, &p, &err), &err);
        must(path.ptr, elm_task_open(p, &again, &err), &err);
        assert_true(elm_tree_hash(&again.reference) == elm_tree_hash(&t->reference));
        assert_true(elm_tree_hash(&p->seed) == elm_tree_hash(&t->problem.seed));
        for (int set = 0; set < ELM_SETS; set++) {
            assert_int_equal(again.case_count[set], t->case_count[set]);
            assert_memory_equal(again.in[set], t->in[set], t->case_count[set] * p->io.in_bytes);
            assert_memory_equal(again.want[set], t->want[set], t->case_count[set] * p->io.out_bytes);
        }
        elm_task_release(&again);
        same_as_caged(path.ptr, p);
        elm_problem_free(p);
        elm_buf_release(&path);
    }
    elm_generator_close(g);
}

/* ---- what problem.yaml may say ---- */

static void put(const char *name, const char *text)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/broken/%s", folder, name);
    assert_int_equal(elm_file_write(path.ptr, elm_str(text), NULL), ELM_OK);
    elm_buf_release(&path);
}

static void refused(const char *rest, const char *reference, const char *why)
{
    struct elm_buf yaml = {0}, path = {0};
    struct elm_problem *p;
    struct elm_error err;
    elm_buf_printf(&yaml, "summary: s\nentry: \"int f(int a, double x[2])\"\n%s\n", rest);
    elm_buf_printf(&path, "%s/broken", folder);
    put("problem.yaml", yaml.ptr);
    put("reference.c", reference);
    if (elm_problem_load(path.ptr, NULL, &p, &err) == ELM_OK)
        fail_msg("accepted: %s", rest);
    if (strstr(err.message, why) == NULL)
        fail_msg("'%s' is not in '%s'", why, err.message);
    elm_buf_release(&yaml);
    elm_buf_release(&path);
}

static void broken_problems(void **state)
{
    (void)state;
    static const char good[] = "int f(int a, double x[2])\n{\n    return a;\n}\n";
    struct elm_buf path = {0}, text = {0};
    elm_buf_printf(&path, "mkdir %s/broken", folder);
    assert_int_equal(system(path.ptr), 0);
    elm_buf_release(&path);
    put("seed.c", good);
    refused("judge: reference", good, "range of 'a'");
    refused("judge: reference\ninputs: {a: [0, 1]}", good, "range of 'x'");
    refused("judge: reference\ninputs: {a: [2, 1], x: [0, 1]}", good, "least and the greatest int");
    refused("judge: reference\ninputs: {a: [0, 1.5], x: [0, 1]}", good, "least and the greatest int");
    refused("judge: reference\ninputs: {a: [0, 3000000000], x: [0, 1]}", good, "greatest int");
    refused("judge: reference\ninputs: {a: [0, 1], x: [0, nan]}", good, "greatest number");
    refused("judge: reference\ninputs: {a: [0, 1], x: [0]}", good, "greatest number");
    refused("judge: reference\ninputs: {a: [0, 1], b: [0, 1]}", good, "unknown");
    refused("inputs: {a: [0, 1], x: [0, 1]}", good, "judge: reference");
    elm_buf_printf(&text, "judge: reference\ninputs: {a: [0, 1], x: [0, 1]}");
    refused(text.ptr, "int f(int a)\n{\n    return a;\n}\n", "reference.c");
    refused(text.ptr, "int f(int a, double x[2])\n{\n    return b;\n}\n", "reference.c");
    elm_buf_printf(&text, "\nrounds: 3");
    refused(text.ptr, good, "rounds");
    elm_buf_release(&text);
}

/* ---- the hand-written functions ---- */

/* Hash of what a program gives on all sets; 0 where it fails. */
static uint64_t behaviour(const struct elm_task *t, const struct elm_tree *program)
{
    struct elm_buf code = {0};
    const struct elm_io *io = &t->problem.io;
    uint8_t *out = elm_malloc(io->out_bytes);
    uint64_t hash = 1, steps;
    assert_int_equal(elm_vm_compile(program, t->problem.names, io, &code, NULL), ELM_OK);
    for (int set = 0; set < ELM_SETS; set++) {
        for (uint32_t c = 0; c < t->case_count[set] && hash != 0; c++) {
            const uint8_t *in = (const uint8_t *)t->in[set] + (size_t)c * io->in_bytes;
            enum elm_vm_end end = elm_vm_run(code.ptr, vm, in, out, t->problem.fuel, &steps);
            hash = end == ELM_VM_OK ? elm_hash(out, io->out_bytes, hash) : 0;
        }
    }
    free(out);
    elm_buf_release(&code);
    return hash;
}

/* Returns how many variants there are. */
static uint32_t check_function(const char *path, uint32_t *bad)
{
    struct elm_problem *p, *variant;
    struct elm_error err;
    uint64_t seen[VARIANTS_MAX + 1], texts[VARIANTS_MAX];
    must(path, elm_problem_load(path, NULL, &p, &err), &err);
    uint32_t count = p->variant_count;
    assert_true(count >= 1 && count <= VARIANTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct elm_buf name = {0};
        struct elm_task t;
        elm_buf_printf(&name, "%s:%s", path, p->variants[i]);
        must(name.ptr, elm_problem_load(name.ptr, NULL, &variant, &err), &err);
        must(name.ptr, elm_task_open(variant, &t, &err), &err);
        struct elm_buf printed = {0};
        elm_tree_print(&variant->seed, variant->names, &printed);
        assert_string_equal(printed.ptr, variant->seed_text);
        elm_buf_release(&printed);
        seen[0] = behaviour(&t, &t.reference);
        seen[i + 1] = behaviour(&t, &t.problem.seed);
        texts[i] = elm_tree_hash(&t.problem.seed);
        for (int set = 0; set < ELM_SETS; set++)
            assert_true(elm_task_score(&t, &t.reference, (enum elm_set)set, vm, NULL) == 1);
        /* no trial begins with a program that fails, or gives what is no number */
        bool fails = seen[i + 1] == 0;
        for (int set = 0; set < ELM_SETS; set++)
            fails |= elm_task_score(&t, &t.problem.seed, (enum elm_set)set, vm, NULL) == 0;
        *bad += fails;
        if (fails)
            print_error("%s fails on a case\n", name.ptr);
        for (uint32_t k = 0; k <= i; k++) {
            if (seen[k] != seen[i + 1] && (k == i || texts[k] != texts[i]))
                continue;
            print_error("%s is like variant %u (0: the reference)\n", name.ptr, k);
            ++*bad;
        }
        elm_task_release(&t);
        elm_problem_free(variant);
        elm_buf_release(&name);
    }
    elm_problem_free(p);
    return count;
}

/* Functions and variants of a folder. */
static void check_folder(const char *of, uint32_t *functions, uint32_t *variants)
{
    struct dirent **entries;
    uint32_t bad = 0;
    int count = scandir(of, &entries, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            struct elm_buf path = {0};
            elm_buf_printf(&path, "%s/%s", of, entries[i]->d_name);
            *variants += check_function(path.ptr, &bad);
            ++*functions;
            elm_buf_release(&path);
        }
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(bad, 0);
}

static void hand_written(void **state)
{
    (void)state;
    uint32_t functions = 0, variants = 0;
    check_folder("functions", &functions, &variants);
    assert_true(functions >= 26 && variants >= 74);
    functions = variants = 0;
    check_folder("functions-hard", &functions, &variants);
    assert_true(functions >= 26 && variants == 2 * functions);
    static const char *const sets[] = {"functions-new", "functions-blind", "functions-sealed", "functions-unseen",
                                       "functions-untouched"};
    for (size_t i = 0; i < ELM_COUNT(sets); i++) {
        functions = variants = 0;
        check_folder(sets[i], &functions, &variants);
        assert_true(functions >= 36 && variants == 3 * functions);
    }
}

int main(void)
{
    struct elm_error err;
    if (elm_keeper_open(&keeper, &err) != ELM_OK || mkdtemp(folder) == NULL)
        return 1;
    vm = elm_vm_memory_new();
    const struct CMUnitTest all[] = {
        cmocka_unit_test(hand_written),
        cmocka_unit_test(broken_problems),
        cmocka_unit_test(hand_written_judges),
        cmocka_unit_test(written_tasks),
    };
    int failed = cmocka_run_group_tests(all, NULL, NULL);
    struct elm_buf command = {0};
    elm_buf_printf(&command, "rm -rf '%s'", folder);
    failed += system(command.ptr) != 0;
    elm_buf_release(&command);
    elm_vm_memory_free(vm);
    elm_keeper_close(keeper);
    return failed;
}
