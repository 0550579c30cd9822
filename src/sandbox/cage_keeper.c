/*
 * keeper: forks every caged process on request, and only then: elm itself is large and never
 * forks. Ends all of them when elm is gone, however elm ended.
 */
#include "sandbox/cage_proc.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CAGES_MAX 1024
#define NOBODY 65534
#define INNER_ID 1000

struct cage {
    pid_t pid;                 /* 0: free */
    bool tools;                /* has descendants of its own */
    struct cgroup cgroup;
    char work[64];             /* "" none */
};

struct keeper {
    struct cage cages[CAGES_MAX];
    uint32_t started;
};

static const char *const names[CAGE_KINDS] = {
    [CAGE_PROBE] = "elm-probe",       [CAGE_RUNNER] = "elm-runner",
    [CAGE_COMPILER] = "elm-compiler", [CAGE_JUDGE] = "elm-judge",
    [CAGE_GCC] = "elm-gcc",           [CAGE_COMMAND] = "elm-command",
};

static bool has_tools(uint32_t kind)
{
    return kind == CAGE_GCC || kind == CAGE_COMMAND;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t put = write(fd, text, strlen(text));
    int number = errno;
    close(fd);
    errno = number;
    return put == (ssize_t)strlen(text) ? 0 : -1;
}

/* Gives the child's namespace one user: root's child becomes nobody where that is allowed. A
 * command stays its user, as it has to read the user's files. */
static int map_ids(pid_t pid, bool command, bool *root, char *why, size_t cap)
{
    char path[64], text[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    *root = uid == 0;
    snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
    if (!*root && write_file(path, "deny") != 0)
        return cage_why(why, cap, "cannot write setgroups");
    for (int try = *root && !command ? 0 : 1; try < 2; try++) {
        snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
        snprintf(text, sizeof(text), "%d %u 1", INNER_ID, try == 0 ? NOBODY : gid);
        if (write_file(path, text) != 0)
            continue;
        snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
        snprintf(text, sizeof(text), "%d %u 1", INNER_ID, try == 0 ? NOBODY : uid);
        if (write_file(path, text) == 0)
            return 0;
    }
    return cage_why(why, cap, "cannot map a user into a namespace");
}

/* Below level 3: root's child becomes nobody, unless this is a container that has no such user;
 * it has no privileges in either case. */
static void become_nobody(void)
{
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
         setresuid(NOBODY, NOBODY, NOBODY) != 0))
        errno = 0;
}

static int confine(const struct keeper_request *q, const char *work, bool root, char *why,
                   size_t cap)
{
    if (q->level == 3 && namespace_enter(q, root, why, cap) != 0)
        return -1;
    if (q->level < 3 && q->kind == CAGE_COMMAND) {
        int from = open(q->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int to = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (from < 0 || to < 0)
            return cage_why(why, cap, "cannot open '%s'", q->folder);
        if (folder_copy(from, to, why, cap) != 0)
            return -1;
    }
    if (q->level < 3 && q->kind != CAGE_COMMAND)
        become_nobody();
    /* the current folder is what tools may write in: never the root */
    if (q->level < 3 && chdir(has_tools(q->kind) ? work : "/") != 0)
        return cage_why(why, cap, "cannot enter '%s'", work);
    setsid();
    if (confine_limits(q, why, cap) != 0)
        return -1;
    if (confine_privileges(why, cap) != 0)
        return -1;
    if (q->level >= 2 && confine_landlock(q, ".", why, cap) != 0)
        return -1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (q->kind == CAGE_JUDGE && seccomp_install(SECCOMP_JUDGE) != 0)
        return cage_why(why, cap, "cannot install a seccomp filter");
    return 0;
}

/* The forked child: never returns. */
static _Noreturn void become_cage(const struct keeper_request *q, const char *work, int socket,
                                  int exe, int go)
{
    struct cage_hello hello = {.ready = CAGE_FAILED};
    char root = 0;
    if (read(go, &root, 1) != 1)
        _exit(1);
    dup2(socket, CAGE_SOCKET);
    if (exe >= 0)
        dup2(exe, CAGE_EXE);
    fcntl(CAGE_EXE, F_SETFD, FD_CLOEXEC);
    close_range(0, CAGE_SOCKET - 1, 0);
    close_range(CAGE_EXE + 1, ~0u, 0);
    signal(SIGPIPE, SIG_DFL);
    errno = 0;
    if (confine(q, work, root == 'r', hello.why, sizeof(hello.why)) == 0) {
        char name[16], *argv[] = {name, NULL}, *envp[] = {NULL};
        snprintf(name, sizeof(name), "%s", names[q->kind]);
        syscall(SYS_execveat, CAGE_EXE, "", argv, envp, AT_EMPTY_PATH);
        cage_why(hello.why, sizeof(hello.why), "cannot start %s", name);
    }
    wire_send(CAGE_SOCKET, &hello, sizeof(hello), NULL, 0);
    _exit(1);
}

static void remove_folder(const char *path)
{
    /* the folder is ours alone and those who could write in it are dead */
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, (char[]){"--"}, strdup(path), NULL};
        char *envp[] = {NULL};
        execve("/bin/rm", argv, envp);
        _exit(1);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

static int make_work(struct cage *c, const struct keeper_request *q, char *why, size_t cap)
{
    if (q->level == 3 || !c->tools)
        return 0;
    strcpy(c->work, "/tmp/elm-XXXXXX");
    if (mkdtemp(c->work) == NULL) {
        c->work[0] = '\0';
        return cage_why(why, cap, "cannot make a folder in /tmp");
    }
    /* fails where nobody doesn't exist, and then nobody stays who we are */
    if (geteuid() == 0 && q->kind == CAGE_GCC && chown(c->work, NOBODY, NOBODY) != 0)
        errno = 0;
    return 0;
}

/* Clones the child and lets it go once its users and its cgroup are there. */
static int start(struct keeper *k, const struct keeper_request *q, const int *fds,
                 struct keeper_reply *reply)
{
    struct cage *c = k->cages;
    while (c < k->cages + CAGES_MAX && c->pid != 0)
        c++;
    int go[2];
    if (c == k->cages + CAGES_MAX || fds[0] < 0 || q->kind >= CAGE_KINDS || q->level > 3 ||
        (q->kind == CAGE_JUDGE) != (fds[1] >= 0) || pipe2(go, O_CLOEXEC) != 0) {
        errno = 0;
        return cage_why(reply->why, sizeof(reply->why), "too many caged processes");
    }
    *c = (struct cage){.tools = has_tools(q->kind)};
    int result = make_work(c, q, reply->why, sizeof(reply->why));
    unsigned long flags = SIGCHLD;
    if (q->level == 3) {
        flags |= CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
                 CLONE_NEWUTS | CLONE_NEWCGROUP;
    }
    pid_t pid = result != 0 ? -1 : (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (pid == 0) {
        close(go[1]);
        become_cage(q, c->work, fds[0], fds[1], go[0]);
    }
    close(go[0]);
    bool root = false;
    if (pid < 0 && result == 0)
        result = cage_why(reply->why, sizeof(reply->why), "cannot make namespaces");
    if (pid > 0 && q->level == 3)
        result = map_ids(pid, q->kind == CAGE_COMMAND, &root, reply->why, sizeof(reply->why));
    if (pid > 0) {
        char name[64];
        snprintf(name, sizeof(name), "elm-%d-%u", (int)getpid(), k->started++);
        reply->cgroup = cgroup_make(&c->cgroup, name, q->memory_mb, q->processes);
        cgroup_join(&c->cgroup, pid);
        c->pid = pid;
    }
    if (result == 0 && write(go[1], root ? "r" : "u", 1) != 1)
        result = cage_why(reply->why, sizeof(reply->why), "the child died");
    close(go[1]);
    if (pid < 0 && c->work[0] != '\0')
        remove_folder(c->work);
    reply->pid = pid;
    return result;
}

/* What ran away from a cage's process group is a child of ours now, as we are the subreaper. */
static void end_orphans(const struct keeper *k)
{
    for (int round = 0; round < 1000; round++) {
        char path[64], text[4096];
        snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
        close(fd);
        text[got > 0 ? got : 0] = '\0';
        uint32_t ended = 0;
        for (char *at = text, *end; *at != '\0'; at = end) {
            pid_t pid = (pid_t)strtol(at, &end, 10);
            if (end == at)
                break;
            bool ours = false;
            for (uint32_t i = 0; i < CAGES_MAX; i++)
                ours |= k->cages[i].pid == pid;
            if (!ours && pid > 0) {
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
                ended++;
            }
        }
        if (ended == 0)
            return;
    }
}

static void stop(struct keeper *k, struct cage *c, struct keeper_reply *reply)
{
    struct rusage used = {0};
    kill(c->pid, SIGKILL);
    if (c->tools)
        kill(-c->pid, SIGKILL);
    while (wait4(c->pid, &reply->wait_status, 0, &used) < 0 && errno == EINTR)
        ;
    reply->cpu_us = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                    (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    c->pid = 0;
    if (c->tools)
        end_orphans(k);
    cgroup_remove(&c->cgroup);
    if (c->work[0] != '\0')
        remove_folder(c->work);
}

static void answer(struct keeper *k, const struct keeper_request *q, const int *fds)
{
    struct keeper_reply reply = {.pid = -1};
    if (q->op == KEEPER_START) {
        if (start(k, q, fds, &reply) != 0) {
            for (uint32_t i = 0; i < CAGES_MAX; i++) {
                if (reply.pid > 0 && k->cages[i].pid == reply.pid)
                    stop(k, &k->cages[i], &(struct keeper_reply){0});
            }
            reply.pid = -1;
        }
    } else {
        for (uint32_t i = 0; i < CAGES_MAX; i++) {
            if (q->pid > 0 && k->cages[i].pid == q->pid) {
                stop(k, &k->cages[i], &reply);
                reply.pid = q->pid;
                break;
            }
        }
    }
    wire_send(CAGE_SOCKET, &reply, sizeof(reply), NULL, 0);
}

int keeper_main(void)
{
    static struct keeper k;
    static struct keeper_request q;
    int fds[WIRE_FDS_MAX];
    struct cage_hello hello = {.ready = CAGE_READY};
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    cgroup_sweep();
    if (chdir("/") != 0 || wire_send(CAGE_SOCKET, &hello, sizeof(hello), NULL, 0) != 0)
        return 1;
    while (wire_recv(CAGE_SOCKET, &q, sizeof(q), fds) == (ssize_t)sizeof(q)) {
        q.folder[sizeof(q.folder) - 1] = '\0';
        answer(&k, &q, fds);
        for (int i = 0; i < WIRE_FDS_MAX; i++) {
            if (fds[i] >= 0)
                close(fds[i]);
        }
    }
    for (uint32_t i = 0; i < CAGES_MAX; i++) {
        if (k.cages[i].pid != 0)
            stop(&k, &k.cages[i], &(struct keeper_reply){0});
    }
    return 0;
}
