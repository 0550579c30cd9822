/* generate [tasks]: CPU time of one training sample, shown cases only; of a report task with all. */
#include "elm/task.h"

#include <stdio.h>
#include <stdlib.h>

static double cost(struct elm_generator_def def, uint64_t tasks)
{
    struct elm_generator *g;
    struct elm_error err;
    if (elm_generator_open(&def, &g, &err) != ELM_OK) {
        fprintf(stderr, "generate: %s\n", err.message);
        exit(1);
    }
    elm_generator_task(g, 0);
    int64_t start = elm_cpu_us();
    uint64_t nodes = 0;
    for (uint64_t i = 1; i <= tasks; i++)
        nodes += elm_generator_task(g, i)->reference.count;
    double us = (double)(elm_cpu_us() - start) / (double)tasks;
    printf("generator_nodes %.1f nodes\n", (double)nodes / (double)tasks);
    elm_generator_close(g);
    return us;
}

int main(int argc, char **argv)
{
    uint64_t tasks = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
    printf("generator_us %.1f us\n",
           cost((struct elm_generator_def){.stream = ELM_STREAM_TRAIN, .seed = 1,
                                           .corruptions_min = 1, .corruptions_max = 5,
                                           .cases_of_shown_only = true}, tasks));
    printf("generator_report_us %.1f us\n",
           cost((struct elm_generator_def){.stream = ELM_STREAM_REPORT, .seed = 1,
                                           .corruptions_min = 1, .corruptions_max = 6},
                tasks / 10 + 1));
    return 0;
}
