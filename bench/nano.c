/*
 * nano: distinct children that the tree-edit model writes on one core, printed as C: of programs as the
 * generator makes them, and of the suite's seeds. Reading the parent is part of it.
 *
 *     nano [MODEL]      without one: the built-in, else random weights
 */
#include "elm/nano.h"
#include "elm/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP 64
#define TASKS 40
#define GROUPS_EACH 1
#define SECONDS 3
#define SUITE_MAX 256

struct count {
    uint64_t children, distinct, bytes;
    int64_t cpu_us;
};

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "nano: %s\n", err->message);
    exit(1);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Groups of one program; what is distinct is counted within them together. */
static void sample(struct elm_nano_sampler *s, const struct elm_problem *p,
                   const struct elm_evidence *evidence, struct elm_vm_memory *vm, uint64_t seed,
                   struct count *sum)
{
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    uint64_t hashes[GROUPS_EACH * GROUP];
    uint32_t made = 0;
    struct elm_arena arena = {0};
    struct elm_buf text = {0};
    int64_t start = elm_cpu_us();
    elm_tree_editable(&p->seed, p->names, editable);
    if (!elm_nano_read(s, p, evidence, &p->seed, editable, evidence == NULL, vm))
        return;
    for (uint32_t g = 0; g < GROUPS_EACH; g++) {
        uint32_t count = elm_nano_sample(s, seed * GROUPS_EACH + g, GROUP, 0.7);
        for (uint32_t i = 0; i < count; i++) {
            struct elm_edit edits[ELM_EDITS_MAX];
            struct elm_tree child;
            struct elm_error err = {0};
            elm_arena_clear(&arena);
            uint32_t edit_count = elm_nano_child(s, i, &arena, edits, NULL);
            check(elm_tree_edit(&p->seed, edits, edit_count, &child, &err), &err);
            elm_buf_clear(&text);
            elm_tree_print(&child, p->names, &text);
            sum->bytes += text.len;
            hashes[made++] = elm_hash(text.ptr, text.len, 0);
            elm_tree_release(&child);
        }
    }
    sum->cpu_us += elm_cpu_us() - start;
    sum->children += made;
    qsort(hashes, made, sizeof(hashes[0]), by_hash);
    for (uint32_t i = 0; i < made; i++)
        sum->distinct += i == 0 || hashes[i] != hashes[i - 1];
    elm_buf_release(&text);
    elm_arena_release(&arena);
}

static void report(const char *what, const struct count *c)
{
    printf("%s %.0f (of %.0f sampled; %.0f bytes each)\n", what,
           (double)c->distinct * 1e6 / (double)c->cpu_us,
           (double)c->children * 1e6 / (double)c->cpu_us,
           (double)c->bytes / (double)(c->children + !c->children));
}

struct suite {
    struct elm_problem *problems[SUITE_MAX];
    uint32_t count;
};

static void add_seed(void *ctx, const char *name, const char *summary, const char *folder)
{
    struct suite *s = ctx;
    struct elm_problem *p;
    struct elm_error err = {0};
    (void)summary;
    (void)folder;
    check(elm_problem_load(name, "problems", &p, &err), &err);
    if (p->seed.count > 0 && s->count < SUITE_MAX)
        s->problems[s->count++] = p;
    else
        elm_problem_free(p);
}

int main(int argc, char **argv)
{
    struct elm_error err = {0};
    struct elm_nano *n;
    struct elm_generator *g;
    struct elm_nano_sampler *sampler;
    struct elm_vm_memory *vm = elm_vm_memory_new();
    struct count sum = {0}, of_suite = {0};
    struct suite suite = {.count = 0};
    struct elm_generator_def def = {.stream = ELM_STREAM_GATE, .seed = 1, .corruptions_min = 1,
                                    .corruptions_max = 6};
    if (argc > 1)
        check(elm_nano_open(argv[1], &n, &err), &err);
    else if (elm_nano_builtin(&n, &err) != ELM_OK)
        check(elm_nano_new(&(struct elm_nano_config){64, 3, 256}, 1, &n, &err), &err);
    check(elm_nano_sampler_new(n, ELM_KERNEL_AUTO, &sampler, &err), &err);
    check(elm_generator_open(&def, &g, &err), &err);
    int64_t start = elm_clock_us();
    for (uint64_t i = 0; elm_clock_us() - start < SECONDS * 1000000; i++) {
        const struct elm_task *t = elm_generator_task(g, i % TASKS);
        sample(sampler, &t->problem, &t->evidence, vm, i, &sum);
    }
    report("nano_children_per_s", &sum);
    check(elm_problem_list("problems", add_seed, &suite, &err), &err);
    if (suite.count == 0)
        check(elm_fail(&err, ELM_NOT_FOUND, "no seed in ./problems: run it where the repository is"), &err);
    start = elm_clock_us();
    for (uint64_t i = 0; elm_clock_us() - start < SECONDS * 1000000; i++)
        sample(sampler, suite.problems[i % suite.count], NULL, vm, i / suite.count, &of_suite);
    report("nano_children_per_s_suite", &of_suite);
    for (uint32_t i = 0; i < suite.count; i++)
        elm_problem_free(suite.problems[i]);
    elm_generator_close(g);
    elm_nano_sampler_free(sampler);
    elm_nano_free(n);
    elm_vm_memory_free(vm);
    return 0;
}
