/*
 * cgroup: a memory and a process limit around one cage, where the keeper may make control groups
 * (version 2, or memory and pids of version 1); elsewhere there are the rlimits alone.
 */
#include "sandbox/cage_proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int put_number(const char *folder, const char *file, uint64_t number)
{
    char path[640], text[32];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t put = write(fd, text, (size_t)len);
    close(fd);
    return put == len ? 0 : -1;
}

/* The keeper's own group in the hierarchy of `controller` ("": version 2). */
static bool own_group(const char *controller, char *path, size_t cap)
{
    char line[512];
    FILE *f = fopen("/proc/self/cgroup", "re");
    bool found = false;
    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        char *list = strchr(line, ':'), *at = list != NULL ? strchr(list + 1, ':') : NULL;
        if (at == NULL)
            continue;
        *at++ = '\0';
        at[strcspn(at, "\n")] = '\0';
        found = strcmp(list + 1, controller) == 0;
        if (found)
            snprintf(path, cap, "/sys/fs/cgroup%s%s%s", controller[0] != '\0' ? "/" : "",
                     controller, at);
    }
    if (f != NULL)
        fclose(f);
    return found;
}

static bool make(char *path, size_t cap, const char *controller, const char *name)
{
    char own[400];
    if (!own_group(controller, own, sizeof(own)))
        return false;
    snprintf(path, cap, "%s/%s", own, name);
    return mkdir(path, 0755) == 0;
}

bool cgroup_make(struct cgroup *g, const char *name, uint32_t memory_mb, uint32_t processes)
{
    uint64_t bytes = (uint64_t)memory_mb << 20;
    *g = (struct cgroup){0};
    if (make(g->paths[0], sizeof(g->paths[0]), "", name) &&
        put_number(g->paths[0], "memory.max", bytes) == 0 &&
        put_number(g->paths[0], "pids.max", processes) == 0) {
        put_number(g->paths[0], "memory.swap.max", 0);
        return true;
    }
    cgroup_remove(g);
    if (make(g->paths[0], sizeof(g->paths[0]), "memory", name) &&
        make(g->paths[1], sizeof(g->paths[1]), "pids", name) &&
        put_number(g->paths[0], "memory.limit_in_bytes", bytes) == 0 &&
        put_number(g->paths[1], "pids.max", processes) == 0)
        return true;
    cgroup_remove(g);
    return false;
}

static void sweep(const char *controller)
{
    char own[400], path[660];
    DIR *d = own_group(controller, own, sizeof(own)) ? opendir(own) : NULL;
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        int pid;
        if (sscanf(e->d_name, "elm-%d-", &pid) == 1 && kill(pid, 0) != 0 && errno == ESRCH) {
            snprintf(path, sizeof(path), "%s/%s", own, e->d_name);
            rmdir(path);
        }
    }
    if (d != NULL)
        closedir(d);
}

void cgroup_sweep(void)
{
    sweep("");
    sweep("memory");
    sweep("pids");
}

void cgroup_join(const struct cgroup *g, int pid)
{
    for (int i = 0; i < 2; i++) {
        if (g->paths[i][0] != '\0')
            put_number(g->paths[i], "cgroup.procs", (uint64_t)pid);
    }
}

void cgroup_remove(struct cgroup *g)
{
    for (int i = 0; i < 2; i++) {
        /* the last of its processes may still be on the way out */
        for (int try = 0; try < 100 && g->paths[i][0] != '\0'; try++) {
            if (rmdir(g->paths[i]) == 0 || errno != EBUSY)
                break;
            usleep(2000);
        }
        g->paths[i][0] = '\0';
    }
}
