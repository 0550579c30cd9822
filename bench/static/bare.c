/*
 * bare: what an evaluation can't cost less than, measured in a static program: fork + exit + wait4,
 * compiling with libtcc in a process that never forks, and the call. Reads a number of programs,
 * prints the CPU microseconds of each part; again until its input ends.
 */
#include <libtcc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "springs.h"

#define STEPS 140

static double cpu_us(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double forks(int count)
{
    double before = cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN);
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
    }
    return (cpu_us(RUSAGE_SELF) + cpu_us(RUSAGE_CHILDREN) - before) / count;
}

/* In a child of its own, as this process forks. */
static void compile_and_call(int count, double *compile_us, double *call_us)
{
    void *memory = aligned_alloc(4096, 1 << 20);
    char text[4096];
    *compile_us = *call_us = 0;
    for (int i = 0; i < count; i++) {
        double t0 = cpu_us(RUSAGE_SELF);
        snprintf(text, sizeof(text), springs, i);
        TCCState *s = tcc_new();
        tcc_set_options(s, "-nostdlib -nostdinc -w");
        tcc_set_output_type(s, TCC_OUTPUT_MEMORY);
        if (tcc_compile_string(s, text) != 0)
            exit(1);
        tcc_add_symbol(s, "sqrt", (void *)(double (*)(double))sqrt);
        if (tcc_relocate(s, NULL) > 1 << 20 || tcc_relocate(s, memory) != 0)
            exit(1);
        double (*f)(int) = (double (*)(int))tcc_get_symbol(s, "f");
        double t1 = cpu_us(RUSAGE_SELF);
        volatile double result = f(STEPS);
        (void)result;
        double t2 = cpu_us(RUSAGE_SELF);
        tcc_delete(s);
        *compile_us += t1 - t0 + cpu_us(RUSAGE_SELF) - t2;
        *call_us += t2 - t1;
    }
    *compile_us /= count;
    *call_us /= count;
    free(memory);
}

int main(void)
{
    int count, to_child[2], from_child[2];
    double parts[2];
    if (pipe(to_child) != 0 || pipe(from_child) != 0)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        close(to_child[1]);
        while (read(to_child[0], &count, sizeof(count)) == sizeof(count)) {
            compile_and_call(count, &parts[0], &parts[1]);
            if (write(from_child[1], parts, sizeof(parts)) != sizeof(parts))
                return 1;
        }
        return 0;
    }
    close(to_child[0]);
    while (scanf("%d", &count) == 1 && count > 0) {
        double fork_us = forks(count);
        if (write(to_child[1], &count, sizeof(count)) != sizeof(count) ||
            read(from_child[0], parts, sizeof(parts)) != sizeof(parts))
            return 1;
        printf("%.3f %.3f %.3f\n", fork_us, parts[0], parts[1]);
        fflush(stdout);
    }
    close(to_child[1]);
    waitpid(pid, NULL, 0);
    return 0;
}
