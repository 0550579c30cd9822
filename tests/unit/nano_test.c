/* nano: the tree-edit model: what it writes builds, labels mend, gradients are those of the loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "elm/nano.h"
#include "elm/problem.h"
#include "elm/task.h"
#include "model/nano_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define CHILDREN 6000            /* of all seeds together */
#define TASKS 100
#else
#define CHILDREN 100000
#define TASKS 1000
#endif

static struct elm_nano *small(uint64_t seed)
{
    struct elm_nano *n;
    assert_int_equal(elm_nano_new(&(struct elm_nano_config){32, 2, 64}, seed, &n, NULL), ELM_OK);
    return n;
}

static struct elm_generator *generator(enum elm_stream stream)
{
    struct elm_generator_def def = {.stream = stream, .seed = 3, .corruptions_min = 1,
                                    .corruptions_max = 6, .cases_of_shown_only = true};
    struct elm_generator *g;
    assert_int_equal(elm_generator_open(&def, &g, NULL), ELM_OK);
    return g;
}

static struct elm_nano_exercise exercise(const struct elm_task *t)
{
    return (struct elm_nano_exercise){.from = &t->problem.seed, .to = &t->reference,
                                      .names = t->problem.names, .io = &t->problem.io,
                                      .evidence = &t->evidence, .fuel = t->problem.fuel};
}

/* ---- labels ---- */

static void labels_mend_what_was_broken(void **state)
{
    (void)state;
    struct elm_generator *g = generator(ELM_STREAM_TRAIN);
    struct nano_differ *d = nano_differ_new();
    struct nano_program p = {0};
    struct nano_label *label = elm_malloc(sizeof(*label));
    struct elm_arena arena = {0};
    uint32_t found = 0, whole = 0;
    for (uint64_t i = 0; i < TASKS; i++) {
        const struct elm_task *t = elm_generator_task(g, i);
        struct elm_rng rng = elm_rng(1, i);
        nano_program_read(&p, &t->problem.seed, t->problem.names, NULL);
        if (!nano_differ_find(d, &p, &t->reference, &rng, label))
            continue;
        found++;
        struct elm_edit edits[NANO_HOLES_MAX];
        struct elm_tree child;
        elm_arena_clear(&arena);
        uint32_t count = nano_edits(&p, label->holes, label->count, &arena, edits);
        assert_int_equal(elm_tree_edit(p.tree, edits, count, &child, NULL), ELM_OK);
        assert_int_equal(elm_tree_check(&child, t->problem.names, NULL), ELM_OK);
        if (label->whole) {
            whole++;
            assert_true(elm_tree_hash(&child) == elm_tree_hash(&t->reference));
        }
        elm_tree_release(&child);
    }
    assert_true(found > TASKS * 9 / 10);
    assert_true(whole > TASKS / 2);
    elm_arena_release(&arena);
    free(label);
    nano_program_release(&p);
    nano_differ_free(d);
    elm_generator_close(g);
}

/* ---- gradients ---- */

static double loss_of(struct elm_nano_pupil *p, const struct elm_nano_lesson *const *lessons,
                      uint32_t count)
{
    struct elm_nano_report report = {0};
    elm_nano_learn(p, lessons, count, ELM_F32, NULL, &report);
    return report.objective;
}

static void check_tensor(struct elm_nano *n, struct elm_nano_pupil *p,
                         const struct elm_nano_lesson *const *lessons, uint32_t count,
                         const float *gradient, const struct elm_nano_tensor *t)
{
    float *w = elm_nano_weights(n) + t->at;
    const float *g = gradient + t->at;
    size_t size = (size_t)t->rows * t->cols;
    struct elm_rng rng = elm_rng(9, t->at);
    double norm = 0, analytic, numeric;
    float *kept = elm_malloc(size * sizeof(float)), *way = elm_malloc(size * sizeof(float));
    memcpy(kept, w, size * sizeof(float));
    for (size_t i = 0; i < size; i++)
        norm += (double)g[i] * g[i];
    norm = sqrt(norm);
    assert_true(norm > 0);
    /* along the gradient and a random half of it, so that no part hides behind another */
    for (int round = 0; round < 3; round++) {
        analytic = 0;
        for (size_t i = 0; i < size; i++) {
            way[i] = round == 0 || elm_rng_chance(&rng, 0.5) ? (float)(g[i] / norm) : 0;
            analytic += (double)way[i] * g[i];
        }
        float step = 2e-3f;
        for (size_t i = 0; i < size; i++)
            w[i] = kept[i] + step * way[i];
        numeric = loss_of(p, lessons, count);
        for (size_t i = 0; i < size; i++)
            w[i] = kept[i] - step * way[i];
        numeric = (numeric - loss_of(p, lessons, count)) / (2 * step);
        memcpy(w, kept, size * sizeof(float));
        if (fabs(numeric - analytic) > 0.02 * norm + 1e-3)
            fail_msg("%s: gradient %g, by differences %g", t->name, analytic, numeric);
    }
    free(kept);
    free(way);
}

static void gradients_are_those_of_the_loss(void **state)
{
    (void)state;
    enum { LESSONS = 6 };
    struct elm_nano *n = small(4);
    struct elm_nano_pupil *p;
    struct elm_nano_teacher *teacher = elm_nano_teacher_new();
    struct elm_generator *g = generator(ELM_STREAM_TRAIN);
    struct elm_vm_memory *vm = elm_vm_memory_new();
    struct elm_nano_lesson *lessons[LESSONS];
    struct elm_nano_report report = {0};
    uint32_t count = 0, tensors;
    assert_int_equal(elm_nano_pupil_new(n, ELM_KERNEL_AUTO, &p, NULL), ELM_OK);
    for (uint64_t i = 0; count < LESSONS; i++) {
        struct elm_rng rng = elm_rng(2, i);
        struct elm_nano_exercise e = exercise(elm_generator_task(g, i));
        lessons[count] = elm_nano_lesson_new();
        e.opaque = count == 1;
        e.halfway = 0.5;
        if (elm_nano_teach(teacher, &e, &rng, vm, lessons[count]))
            count++;
        else
            elm_nano_lesson_free(lessons[count]);
    }
    elm_nano_lesson_weigh(lessons[2], -1);
    elm_nano_lesson_weigh(lessons[3], 0.5);
    /* relations begin at zero, where a mistake in them would not show */
    const struct elm_nano_tensor *t = elm_nano_tensors(n, &tensors);
    float *gradient = elm_calloc(elm_nano_size(n), sizeof(float));
    struct elm_rng rng = elm_rng(5, 0);
    for (uint32_t k = 0; k < tensors; k++) {
        for (size_t i = 0; !t[k].matrix && i < (size_t)t[k].rows * t[k].cols; i++)
            elm_nano_weights(n)[t[k].at + i] += (float)(0.2 * elm_rng_normal(&rng));
    }
    const struct elm_nano_lesson *const *all = (const struct elm_nano_lesson *const *)lessons;
    elm_nano_learn(p, all, LESSONS, ELM_F32, gradient, &report);
    assert_true(report.loss > 0 && isfinite(report.loss));
    for (uint32_t k = 0; k < tensors; k++)
        check_tensor(n, p, all, LESSONS, gradient, &t[k]);
    for (uint32_t i = 0; i < LESSONS; i++)
        elm_nano_lesson_free(lessons[i]);
    free(gradient);
    elm_nano_pupil_free(p);
    elm_nano_free(n);
    elm_nano_teacher_free(teacher);
    elm_generator_close(g);
    elm_vm_memory_free(vm);
}

/* ---- children ---- */

struct seeds {
    struct elm_problem *problems[64];
    uint32_t count;
};

static void add_seed(void *ctx, const char *name, const char *summary, const char *folder)
{
    struct seeds *s = ctx;
    struct elm_problem *p;
    (void)summary;
    (void)folder;
    if (s->count == ELM_COUNT(s->problems))
        return;
    assert_int_equal(elm_problem_load(name, "problems", &p, NULL), ELM_OK);
    if (p->seed.count > 0)
        s->problems[s->count++] = p;
    else
        elm_problem_free(p);
}

static void check_child(struct elm_nano_sampler *s, const struct elm_problem *p,
                        const struct elm_tree *from, uint32_t i, struct elm_arena *arena,
                        struct elm_tree *child)
{
    struct elm_edit edits[ELM_EDITS_MAX];
    struct elm_error err = {0};
    elm_arena_clear(arena);
    uint32_t count = elm_nano_child(s, i, arena, edits, NULL);
    if (count == 0 || elm_tree_edit(from, edits, count, child, &err) != ELM_OK)
        fail_msg("%s: child %u of %u edits: %s", p->name, i, count, err.message);
    enum elm_status status = elm_tree_check(child, p->names, &err);
    if (status != ELM_OK && status != ELM_OUTSIDE) {
        struct elm_buf text = {0};
        elm_tree_print(child, p->names, &text);
        fail_msg("%s: %s\n%s", p->name, err.message, text.ptr);
    }
}

/* What is pushed away stops at the floor. */
static void pushing_has_a_floor(void **state)
{
    (void)state;
    struct elm_nano *n = small(4);
    struct elm_nano_pupil *p;
    struct elm_nano_teacher *teacher = elm_nano_teacher_new();
    struct elm_generator *g = generator(ELM_STREAM_TRAIN);
    struct elm_vm_memory *vm = elm_vm_memory_new();
    struct elm_nano_lesson *lesson = elm_nano_lesson_new();
    size_t size = elm_nano_size(n);
    float *gradient = elm_malloc(size * sizeof(float));
    struct elm_nano_report first = {0}, last = {0}, pulled = {0};
    assert_int_equal(elm_nano_pupil_new(n, ELM_KERNEL_AUTO, &p, NULL), ELM_OK);
    for (uint64_t i = 0, taught = 0; !taught; i++) {
        struct elm_rng rng = elm_rng(2, i);
        struct elm_nano_exercise e = exercise(elm_generator_task(g, i));
        taught = elm_nano_teach(teacher, &e, &rng, vm, lesson);
    }
    const struct elm_nano_lesson *const all[] = {lesson};
    elm_nano_learn(p, all, 1, ELM_F32, NULL, &pulled);
    elm_nano_lesson_weigh(lesson, -1);
    for (int i = 0; i < 300; i++) {
        last = (struct elm_nano_report){0};
        memset(gradient, 0, size * sizeof(float));
        elm_nano_learn(p, all, 1, ELM_F32, gradient, &last);
        first = i == 0 ? last : first;
        for (size_t k = 0; k < size; k++)
            elm_nano_weights(n)[k] -= 0.05f * gradient[k];
    }
    double decisions = (double)(pulled.points + pulled.tokens);
    assert_true(last.objective <= first.objective);
    assert_true(last.objective >= decisions * log(ELM_NANO_FLOOR) - 1e-6);
    assert_true(last.pushed == 1 && last.loss == 0 && last.points == 0);
    /* all of it at the floor: nothing pushes any more */
    assert_true(last.objective < 0.999 * decisions * log(ELM_NANO_FLOOR));
    for (size_t k = 0; k < size; k++)
        assert_true(gradient[k] == 0);
    free(gradient);
    elm_nano_lesson_free(lesson);
    elm_nano_pupil_free(p);
    elm_nano_free(n);
    elm_nano_teacher_free(teacher);
    elm_generator_close(g);
    elm_vm_memory_free(vm);
}

/* Sampled from random weights at a high temperature: whatever can be said is said. */
static void every_child_builds(void **state)
{
    (void)state;
    struct seeds seeds = {0};
    struct elm_nano *n = small(8);
    struct elm_nano_sampler *s;
    struct elm_arena arena = {0};
    struct elm_vm_memory *vm = elm_vm_memory_new();
    assert_int_equal(elm_problem_list("problems", add_seed, &seeds, NULL), ELM_OK);
    assert_true(seeds.count >= 8);
    assert_int_equal(elm_nano_sampler_new(n, ELM_KERNEL_AUTO, &s, NULL), ELM_OK);
    uint32_t made = 0;
    for (uint32_t round = 0; made < CHILDREN; round++) {
        for (uint32_t k = 0; k < seeds.count; k++) {
            const struct elm_problem *p = seeds.problems[k];
            struct elm_tree from = elm_tree_copy(&p->seed);
            uint8_t editable[ELM_NODES_MAX / 8 + 1];
            for (uint32_t depth = 0; depth < 4; depth++) {
                struct elm_tree next = {0};
                elm_tree_editable(&from, p->names, editable);
                if (!elm_nano_read(s, p, NULL, &from, editable, false, vm))
                    break;
                uint32_t count = elm_nano_sample(s, round * 64 + depth, 64, 2.0);
                assert_true(count > 32);
                for (uint32_t i = 0; i < count; i++) {
                    elm_tree_release(&next);
                    check_child(s, p, &from, i, &arena, &next);
                }
                made += count;
                elm_tree_release(&from);
                from = next;
            }
            elm_tree_release(&from);
        }
    }
    for (uint32_t k = 0; k < seeds.count; k++)
        elm_problem_free(seeds.problems[k]);
    elm_arena_release(&arena);
    elm_vm_memory_free(vm);
    elm_nano_sampler_free(s);
    elm_nano_free(n);
}

/* Within 20 nodes there is room for several holes; and one child asked for is one child. */
static void samples_have_several_holes(void **state)
{
    (void)state;
    struct elm_nano *n = small(8);
    struct elm_generator *g = generator(ELM_STREAM_GATE);
    const struct elm_task *t = elm_generator_task(g, 0);
    struct elm_nano_sampler *s;
    struct elm_arena arena = {0};
    struct elm_vm_memory *vm = elm_vm_memory_new();
    struct elm_problem small_edits = t->problem;
    uint32_t several = 0;
    small_edits.edit_nodes_max = 20;
    assert_int_equal(elm_nano_sampler_new(n, ELM_KERNEL_AUTO, &s, NULL), ELM_OK);
    assert_true(elm_nano_read(s, &small_edits, &t->evidence, &t->problem.seed, NULL, false, vm));
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        assert_int_equal(elm_nano_sample(s, seed, 1, 1.0), 1);
        elm_arena_clear(&arena);
        several += elm_nano_child(s, 0, &arena, edits, NULL) > 1;
    }
    assert_true(several > 20);
    elm_arena_release(&arena);
    elm_vm_memory_free(vm);
    elm_nano_sampler_free(s);
    elm_generator_close(g);
    elm_nano_free(n);
}

/* Different edits, of several holes too, the same for the same seed, and as likely as they say. Fewer are the
 * first ones of more: nothing that was wanted fell out on the way. */
static void samples_are_distinct_and_repeat(void **state)
{
    (void)state;
    struct elm_nano *n = small(8);
    struct elm_nano_sampler *s;
    struct elm_generator *g = generator(ELM_STREAM_TRAIN);
    struct elm_arena arena = {0};
    struct elm_vm_memory *vm = elm_vm_memory_new();
    const struct elm_task *t = elm_generator_task(g, 5);
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    static const uint32_t wanted[] = {64, 64, 1, 7, 30};
    struct elm_buf bytes[ELM_COUNT(wanted)][64] = {0};
    assert_int_equal(elm_nano_sampler_new(n, ELM_KERNEL_AUTO, &s, NULL), ELM_OK);
    elm_tree_editable(&t->problem.seed, t->problem.names, editable);
    for (int round = 0; round < (int)ELM_COUNT(wanted); round++) {
        assert_true(elm_nano_read(s, &t->problem, &t->evidence, &t->problem.seed, editable, false,
                                  vm));
        assert_int_equal(elm_nano_sample(s, 7, wanted[round], 1.0), wanted[round]);
        double sum = 0;
        uint32_t several = 0;
        for (uint32_t i = 0; i < wanted[round]; i++) {
            struct elm_edit edits[ELM_EDITS_MAX];
            double logprob;
            uint32_t count = elm_nano_child(s, i, &arena, edits, &logprob);
            several += count > 1;
            elm_edits_encode(edits, count, &bytes[round][i]);
            assert_true(logprob < 0);
            sum += exp(logprob);
        }
        assert_true(sum > 0 && sum <= 1.0001);
        assert_true(wanted[round] < 64 || (several >= 16 && several < 64));
    }
    for (uint32_t i = 0; i < 64; i++) {
        for (uint32_t k = 1; k < ELM_COUNT(wanted); k++)
            assert_true(i >= wanted[k] || elm_str_equal(elm_buf_str(&bytes[0][i]), elm_buf_str(&bytes[k][i])));
        for (uint32_t j = 0; j < i; j++)
            assert_false(elm_str_equal(elm_buf_str(&bytes[0][i]), elm_buf_str(&bytes[0][j])));
    }
    for (uint32_t i = 0; i < 64; i++) {
        for (uint32_t k = 0; k < ELM_COUNT(wanted); k++)
            elm_buf_release(&bytes[k][i]);
    }
    elm_arena_release(&arena);
    elm_vm_memory_free(vm);
    elm_nano_sampler_free(s);
    elm_generator_close(g);
    elm_nano_free(n);
}

/* A file may hold weights that are numbers, but so large that the stop's score, asked after the first hole, is
 * none: no child has a probability that is none. */
static void overflowing_weights_give_nothing_worse(void **state)
{
    static const float signs[][2] = {{3e38f, 3e38f}, {3e38f, -3e38f}, {-3e38f, -3e38f}};
    struct elm_generator *g = generator(ELM_STREAM_TRAIN);
    struct elm_vm_memory *vm = elm_vm_memory_new();
    struct elm_arena arena = {0};
    const struct elm_task *t = elm_generator_task(g, 5);
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    (void)state;
    elm_tree_editable(&t->problem.seed, t->problem.names, editable);
    for (uint32_t i = 0; i < ELM_COUNT(signs); i++) {
        struct elm_nano *n = small(8);
        struct elm_nano_sampler *s;
        for (size_t k = 0; k < n->config.width; k++)
            elm_nano_weights(n)[n->stop + k] = signs[i][k % 2];
        for (size_t k = 0; k < (size_t)n->config.width * n->config.width; k++)
            elm_nano_weights(n)[n->query + k] *= 100;
        assert_int_equal(elm_nano_sampler_new(n, ELM_KERNEL_AUTO, &s, NULL), ELM_OK);
        assert_true(elm_nano_read(s, &t->problem, &t->evidence, &t->problem.seed, editable, false, vm));
        uint32_t count = elm_nano_sample(s, 7, 64, 1.0);
        assert_true(count <= 64);
        for (uint32_t c = 0; c < count; c++) {
            struct elm_edit edits[ELM_EDITS_MAX];
            struct elm_tree child;
            double logprob;
            check_child(s, &t->problem, &t->problem.seed, c, &arena, &child);
            elm_nano_child(s, c, &arena, edits, &logprob);
            assert_true(isfinite(logprob));
            elm_tree_release(&child);
        }
        elm_nano_sampler_free(s);
        elm_nano_free(n);
    }
    elm_arena_release(&arena);
    elm_vm_memory_free(vm);
    elm_generator_close(g);
}

/* A hole in a kid that another hole has kept takes no room: 11 nodes of 20 for both signs. */
static void mends_one_sign_in_another(void **state)
{
    (void)state;
    struct elm_nano *n;
    struct elm_nano_sampler *s;
    struct elm_problem *p;
    struct elm_arena arena = {0};
    struct elm_vm_memory *vm = elm_vm_memory_new();
    uint8_t editable[ELM_NODES_MAX / 8 + 1], mask[48 * 8];
    double in[48][4], want[48];
    struct elm_rng rng = elm_rng(1, 0);
    for (uint32_t i = 0; i < 48; i++) {
        for (uint32_t k = 0; k < 4; k++)
            in[i][k] = (double)elm_rng_below(&rng, 201) / 10 - 10;
        want[i] = in[i][0] * in[i][3] * in[i][3] + in[i][1] * in[i][3] + in[i][2];
    }
    memset(mask, 1, sizeof(mask));
    struct elm_evidence evidence = {.case_count = 48, .in = in, .want = want, .want_mask = mask};
    assert_int_equal(elm_nano_open("models/elm-nano.gguf", &n, NULL), ELM_OK);
    assert_int_equal(elm_problem_load("quadratic:2", "problems", &p, NULL), ELM_OK);
    assert_int_equal(p->edit_nodes_max, 20);
    elm_tree_editable(&p->seed, p->names, editable);
    assert_int_equal(elm_nano_sampler_new(n, ELM_KERNEL_AUTO, &s, NULL), ELM_OK);
    assert_true(elm_nano_read(s, p, &evidence, &p->seed, editable, false, vm));
    uint32_t count = elm_nano_sample(s, 1, 256, 0.7), mended = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        uint32_t edit_count = elm_nano_child(s, i, &arena, edits, NULL);
        const struct elm_node *put = edits[0].put;
        uint32_t at = elm_tree_kid(&p->seed, edits[0].parent, edits[0].first);
        mended += edit_count == 1 && edits[0].put_count == 11 && put[0].kind == ELM_NODE_ADD &&
                  put[1].kind == ELM_NODE_ADD &&
                  memcmp(put + 2, &p->seed.nodes[at + 2], 9 * sizeof(put[0])) == 0;
    }
    assert_true(mended > 0);
    elm_problem_free(p);
    elm_arena_release(&arena);
    elm_vm_memory_free(vm);
    elm_nano_sampler_free(s);
    elm_nano_free(n);
}

/* The log-probabilities of a group of children of a parent that was asked for so many. */
static void logprobs(const char *model, const struct elm_task *t, const uint8_t *editable,
                     uint64_t asked, double out[32])
{
    struct elm_nano_writer *w = elm_nano_writer_new();
    struct elm_nano_sampler *s;
    struct elm_arena arena = {0};
    struct elm_operator_context context = {.problem = &t->problem, .model = model, .group = 3};
    struct elm_parent parent = {.id = 1, .tree = &t->problem.seed, .editable = editable,
                                .editable_count = 1, .asked = asked};
    uint32_t count;
    assert_int_equal(elm_nano_writer_ask(w, &context, &parent, 32, 0.7, &s, &count, NULL), ELM_OK);
    assert_int_equal(count, 32);
    for (uint32_t i = 0; i < 32; i++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        elm_nano_child(s, i, &arena, edits, &out[i]);
    }
    elm_arena_release(&arena);
    elm_nano_writer_free(w);
}

static double sum_of(const double x[32])
{
    double sum = 0;
    for (uint32_t i = 0; i < 32; i++)
        sum += exp(x[i]);
    return sum;
}

/* What is likely is tried first; who is asked again and again tries the rest too. */
static void is_hotter_when_asked_often(void **state)
{
    (void)state;
    char path[] = "/tmp/elm-nano-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct elm_nano *n = small(8);
    assert_int_equal(elm_nano_write(n, &(struct elm_nano_card){.description = "a test"}, path, NULL),
                     ELM_OK);
    struct elm_generator *g = generator(ELM_STREAM_GATE);
    const struct elm_task *t = elm_generator_task(g, 0);
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    double cold[32], again[32], warm[32], hot[32];
    elm_tree_editable(&t->problem.seed, t->problem.names, editable);
    logprobs(path, t, editable, 0, cold);
    logprobs(path, t, editable, 0, again);
    logprobs(path, t, editable, 300, warm);
    logprobs(path, t, editable, 1000000, hot);
    assert_memory_equal(cold, again, sizeof(cold));
    assert_true(sum_of(warm) < sum_of(cold) && sum_of(hot) < sum_of(warm));
    unlink(path);
    elm_generator_close(g);
    elm_nano_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_mend_what_was_broken),
        cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(pushing_has_a_floor),
        cmocka_unit_test(every_child_builds),
        cmocka_unit_test(samples_have_several_holes),
        cmocka_unit_test(samples_are_distinct_and_repeat),
        cmocka_unit_test(overflowing_weights_give_nothing_worse),
        cmocka_unit_test(mends_one_sign_in_another),
        cmocka_unit_test(is_hotter_when_asked_often),
    };
    return cmocka_run_group_tests_name("nano", tests, NULL, NULL);
}
