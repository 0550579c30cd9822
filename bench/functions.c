/*
 * functions [tasks [folder]]: plain GP (`tree`) against semantic GP, on the report stream of the
 * generator with 1 to 6 corruptions, and on the hand-written functions in `folder` (functions): share
 * of the tasks solved by 100, 500 and 2,000 evaluations, and CPU time of one evaluation.
 */
#include "elm/task.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define BUDGET 2000
#define TASKS_MAX 100000
#define ARMS 2

static const char *const arms[ARMS] = {"tree", "semantic"};

struct tally {
    uint32_t tasks, solved[3];
    uint64_t evaluations;
    int64_t cpu_us;
};

static void try_task(const struct elm_task *t, uint64_t seed, struct tally tally[ARMS])
{
    static const uint32_t budgets[] = {100, 500, BUDGET};
    for (int k = 0; k < ARMS; k++) {
        struct elm_trial_def def = {.task = t, .arms = {{arms[k], 1}}, .arm_count = 1,
                                    .seed = seed, .evaluations = BUDGET};
        struct elm_trial trial;
        struct elm_error err;
        if (elm_trial_run(&def, &trial, &err) != ELM_OK) {
            fprintf(stderr, "functions: %s\n", err.message);
            exit(1);
        }
        tally[k].tasks++;
        tally[k].evaluations += trial.evaluations;
        tally[k].cpu_us += trial.cpu_us;
        for (int b = 0; b < 3; b++)
            tally[k].solved[b] += trial.solved && trial.solved_at <= budgets[b];
        elm_tree_release(&trial.program);
    }
}

static void report(const char *set, const struct tally tally[ARMS])
{
    for (int k = 0; k < ARMS; k++) {
        const struct tally *t = &tally[k];
        static const char *const budgets[] = {"100", "500", "2000"};
        for (int b = 0; b < 3; b++)
            printf("%s_%s_%s %.1f percent\n", set, arms[k], budgets[b],
                   100.0 * t->solved[b] / (t->tasks > 0 ? t->tasks : 1));
        printf("%s_%s_us %.2f us_per_evaluation\n", set, arms[k],
               (double)t->cpu_us / (double)(t->evaluations > 0 ? t->evaluations : 1));
    }
    fflush(stdout);
}

static void generated(uint32_t tasks)
{
    struct elm_generator_def def = {.stream = ELM_STREAM_REPORT, .seed = 1, .corruptions_min = 1,
                                    .corruptions_max = 6};
    struct elm_generator *g;
    struct elm_error err;
    struct tally tally[ARMS] = {0};
    if (elm_generator_open(&def, &g, &err) != ELM_OK) {
        fprintf(stderr, "functions: %s\n", err.message);
        exit(1);
    }
    for (uint32_t i = 0; i < tasks; i++)
        try_task(elm_generator_task(g, i), i, tally);
    elm_generator_close(g);
    report("functions", tally);
}

/* Every variant of a problem folder. */
static void try_folder(const char *path, struct tally tally[ARMS])
{
    struct elm_problem *p;
    struct elm_error err;
    struct elm_task t;
    if (elm_problem_load(path, NULL, &p, &err) != ELM_OK) {
        fprintf(stderr, "functions: %s\n", err.message);
        exit(1);
    }
    for (uint32_t i = 0; i < p->variant_count; i++) {
        struct elm_buf name = {0};
        struct elm_problem *variant;
        elm_buf_printf(&name, "%s:%s", path, p->variants[i]);
        if (elm_problem_load(name.ptr, NULL, &variant, &err) != ELM_OK ||
            elm_task_open(variant, &t, &err) != ELM_OK) {
            fprintf(stderr, "functions: %s\n", err.message);
            exit(1);
        }
        try_task(&t, i, tally);
        elm_task_release(&t);
        elm_problem_free(variant);
        elm_buf_release(&name);
    }
    elm_problem_free(p);
}

static void hand_written(const char *folder)
{
    struct tally tally[ARMS] = {0};
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            struct elm_buf path = {0};
            elm_buf_printf(&path, "%s/%s", folder, entries[i]->d_name);
            try_folder(path.ptr, tally);
            elm_buf_release(&path);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    printf("hand_tasks %u tasks\n", tally[0].tasks);
    report("hand", tally);
}

int main(int argc, char **argv)
{
    generated(argc > 1 ? (uint32_t)atoi(argv[1]) % TASKS_MAX : 300);
    hand_written(argc > 2 ? argv[2] : "functions");
    return 0;
}
