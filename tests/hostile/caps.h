/*
 * caps: outer limits around a test that runs hostile code, so that a hole in the cage cannot take
 * the machine down: a child of its own with a deadline, in a pid namespace and a cgroup where the
 * machine lets us, with bounded files; everything in it is killed at its end.
 */
#ifndef TESTS_HOSTILE_CAPS_H
#define TESTS_HOSTILE_CAPS_H

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool caps_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (f == NULL)
        return false;
    bool ok = fputs(text, f) >= 0;
    return fclose(f) == 0 && ok;
}

/* Joins a fresh cgroup at root/name with the limits; false when there is none to be had. */
static bool caps_cgroup(const char *root, const char *limit, const char *value)
{
    char folder[256], path[400], pid[32];
    snprintf(folder, sizeof(folder), "%s/elm-test-%d", root, (int)getpid());
    if (mkdir(folder, 0755) != 0)
        return false;
    snprintf(path, sizeof(path), "%s/%s", folder, limit);
    bool ok = caps_write(path, value);
    snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    return caps_write(path, pid) && ok;
}

static void caps_remove(const char *root, pid_t pid)
{
    char folder[256];
    snprintf(folder, sizeof(folder), "%s/elm-test-%d", root, (int)pid);
    rmdir(folder);
}

#define CAPS_MEMORY "/sys/fs/cgroup/memory"
#define CAPS_PIDS "/sys/fs/cgroup/pids"
#define CAPS_V2 "/sys/fs/cgroup"

static void caps_limit(void)
{
    bool memory = caps_cgroup(CAPS_MEMORY, "memory.limit_in_bytes", "3221225472");
    bool pids = caps_cgroup(CAPS_PIDS, "pids.max", "300");
    if (!memory && !pids && caps_cgroup(CAPS_V2, "memory.max", "3221225472")) {
        char path[300];
        snprintf(path, sizeof(path), CAPS_V2 "/elm-test-%d/pids.max", (int)getpid());
        caps_write(path, "300");
    }
    struct rlimit file = {256u << 20, 256u << 20};
    setrlimit(RLIMIT_FSIZE, &file);
    if (geteuid() != 0) {
        struct rlimit processes = {2000, 2000};
        setrlimit(RLIMIT_NPROC, &processes);
    }
}

static int caps_exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs `body` inside the caps and returns its exit code; 124 after the deadline. */
static int caps_run(int (*body)(void), int deadline_s)
{
    pid_t outer = fork();
    if (outer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        caps_limit();
        /* whoever is forked next is init of its own pid namespace: its end is the end of all */
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) == 0)
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
        pid_t inner = fork();
        if (inner == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getpid() == 1)
                mount("proc", "/proc", "proc", 0, NULL);
            exit(body());
        }
        int status = 0;
        while (waitpid(inner, &status, 0) < 0 && errno == EINTR)
            continue;
        _exit(caps_exit_code(status));
    }
    int status = 0;
    for (int waited = 0; waitpid(outer, &status, WNOHANG) == 0; waited++) {
        if (waited > deadline_s * 20) {
            kill(outer, SIGKILL);
            waitpid(outer, &status, 0);
            fprintf(stderr, "the hostile test passed its deadline of %d s\n", deadline_s);
            return 124;
        }
        usleep(50000);
    }
    caps_remove(CAPS_MEMORY, outer);
    caps_remove(CAPS_PIDS, outer);
    caps_remove(CAPS_V2, outer);
    return caps_exit_code(status);
}

#endif
