/* start: what a user waits for. help_ms: `elm --help`; first_candidate_ms: from starting `elm run`
 * to its end after one batch, the judge already compiled. Medians of several starts. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double start_ms(const char *const *words)
{
    char *argv[10] = {NULL};
    for (int i = 0; words[i] != NULL; i++)
        argv[i] = strdup(words[i]);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    pid_t pid;
    int status = -1;
    if (posix_spawn(&pid, argv[0], &files, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3)) {
        fprintf(stderr, "start: '%s %s' failed\n", argv[0], argv[1]);
        exit(1);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    posix_spawn_file_actions_destroy(&files);
    return (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_ms(const char *const *argv, int starts)
{
    double ms[32];
    for (int i = 0; i < starts; i++)
        ms[i] = start_ms(argv);
    qsort(ms, (size_t)starts, sizeof(ms[0]), by_value);
    return ms[starts / 2];
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: start PATH-OF-ELM\n");
        return 2;
    }
    const char *help[] = {argv[1], "--help", NULL};
    printf("help_ms %.1f ms\n", median_ms(help, 15));
    char folder[] = "/tmp/elm-bench-XXXXXX";
    if (mkdtemp(folder) == NULL)
        return 1;
    char run[64], all[128];
    double ms[5];
    for (int i = 0; i < 5; i++) {
        snprintf(run, sizeof(run), "%s/%d", folder, i);
        const char *first[] = {argv[1], "run", "sort", "--evaluations", "1", "--folder", run, "--quiet",
                         NULL};
        ms[i] = start_ms(first);
    }
    qsort(ms, 5, sizeof(ms[0]), by_value);
    printf("first_candidate_ms %.0f ms\n", ms[2]);
    snprintf(all, sizeof(all), "rm -rf %s", folder);
    return system(all) == 0 ? 0 : 1;
}
