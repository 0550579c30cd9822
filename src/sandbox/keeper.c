/* keeper: starts the small process that forks all others, and asks it to. */
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u         /* newer than Debian 12's header */
#endif

#define SEAL_TRIES 30
#define SEAL_PAUSE_MS 20

/* ---- memory that processes share ---- */
static int make_memfd(const char *name, unsigned flags, bool program)
{
    /* some systems forbid programs in memfds unless they are asked for; old ones know no flag */
    int fd = memfd_create(name, flags | (program ? MFD_EXEC : 0));
    return fd < 0 && program ? memfd_create(name, flags) : fd;
}

/* Where no mapping may write, EBUSY says that the kernel is at one of the pages just now (it moves them,
 * or looks at how they are used): it waits for a sixth of a second itself, which is short on a busy machine. */
static bool seal(int fd)
{
    const struct timespec pause = {0, SEAL_PAUSE_MS * 1000000};
    for (int i = 0; i < SEAL_TRIES; i++) {
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
            return true;
        if (errno != EBUSY)
            return false;
        nanosleep(&pause, NULL);
    }
    errno = EBUSY;
    return false;
}

enum elm_status sealed_make(const char *name, struct elm_str bytes, bool program, int *fd,
                            struct elm_error *err)
{
    *fd = make_memfd(name, MFD_CLOEXEC | MFD_ALLOW_SEALING, program);
    size_t done = 0;
    while (*fd >= 0 && done < bytes.len) {
        ssize_t put = write(*fd, bytes.ptr + done, bytes.len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        done += (size_t)put;
    }
    /* a program that can't be read can't be traced or dumped */
    if (*fd < 0 || done < bytes.len || fchmod(*fd, program ? 0111 : 0444) != 0 ||
        lseek(*fd, 0, SEEK_SET) != 0 || !seal(*fd)) {
        elm_fail(err, ELM_SANDBOX, "cannot put %zu bytes into memory for '%s': %s", bytes.len, name,
                 strerror(errno));
        if (*fd >= 0)
            close(*fd);
        *fd = -1;
        return ELM_SANDBOX;
    }
    return ELM_OK;
}

enum elm_status shared_make(struct shared *s, const char *name, size_t bytes,
                            struct elm_error *err)
{
    *s = (struct shared){.fd = make_memfd(name, MFD_CLOEXEC | MFD_ALLOW_SEALING, false),
                         .bytes = bytes};
    void *memory = MAP_FAILED;
    if (s->fd >= 0 && ftruncate(s->fd, (off_t)bytes) == 0 &&
        fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (memory == MAP_FAILED) {
        elm_fail(err, ELM_SANDBOX, "cannot share %zu bytes of memory for '%s': %s", bytes, name,
                 strerror(errno));
        shared_release(s);
        return ELM_SANDBOX;
    }
    s->memory = memory;
    return ELM_OK;
}

void shared_release(struct shared *s)
{
    if (s->memory != NULL)
        munmap(s->memory, s->bytes);
    if (s->bytes > 0 && s->fd >= 0)
        close(s->fd);
    *s = (struct shared){.fd = -1};
}

int shared_read_only(const struct shared *s)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "/proc/self/fd/%d", s->fd);
    int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    elm_buf_release(&path);
    return fd;
}

/* ---- the keeper ---- */
static _Noreturn void become_keeper(int socket, int program)
{
    char name[] = "elm-keeper", *argv[] = {name, NULL}, *envp[] = {NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nothing = open("/dev/null", O_RDWR);
    /* above the numbers they are going to have */
    socket = fcntl(socket, F_DUPFD, 10);
    program = fcntl(program, F_DUPFD, 10);
    if (nothing < 0 || socket < 0 || program < 0)
        _exit(126);
    for (int fd = 0; fd < CAGE_SOCKET; fd++)
        dup2(nothing, fd);
    dup2(socket, CAGE_SOCKET);
    dup2(program, CAGE_EXE);
    syscall(SYS_close_range, CAGE_EXE + 1, ~0u, 0);
    for (int s = 1; s < 32; s++)
        signal(s, SIG_DFL);
    syscall(SYS_execveat, CAGE_EXE, "", argv, envp, AT_EMPTY_PATH);
    _exit(127);
}

enum elm_status elm_keeper_open(struct elm_keeper **out, struct elm_error *err)
{
    int sockets[2], program, fds[WIRE_FDS_MAX];
    struct elm_str helper = {elm_embed_cage, (size_t)(elm_embed_cage_end - elm_embed_cage)};
    ELM_TRY(sealed_make("elm-cage", helper, true, &program, err));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        close(program);
        return elm_fail(err, ELM_SANDBOX, "cannot make a socket: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0)
        become_keeper(sockets[1], program);
    close(sockets[1]);
    close(program);
    struct cage_hello hello = {0};
    if (pid < 0 || wire_recv(sockets[0], &hello, sizeof(hello), fds) != (ssize_t)sizeof(hello)) {
        int status = 0;
        close(sockets[0]);
        if (pid > 0)
            waitpid(pid, &status, 0);
        return elm_fail(err, ELM_SANDBOX, "cannot start the keeper process: %s",
                        pid < 0 ? strerror(errno) : "programs in memory (memfd) can't be run here");
    }
    struct elm_keeper *k = elm_calloc(1, sizeof(*k));
    k->socket = sockets[0];
    k->pid = pid;
    pthread_mutex_init(&k->lock, NULL);
    *out = k;
    return ELM_OK;
}

void elm_keeper_close(struct elm_keeper *k)
{
    if (k == NULL)
        return;
    /* it ends what it started, then itself */
    close(k->socket);
    while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    pthread_mutex_destroy(&k->lock);
    free(k);
}

enum elm_status keeper_ask(struct elm_keeper *k, const struct keeper_request *q, const int *fds,
                           uint32_t fd_count, struct keeper_reply *reply, struct elm_error *err)
{
    int none[WIRE_FDS_MAX];
    pthread_mutex_lock(&k->lock);
    bool answered = wire_send(k->socket, q, sizeof(*q), fds, fd_count) == 0 &&
                    wire_recv(k->socket, reply, sizeof(*reply), none) == (ssize_t)sizeof(*reply);
    pthread_mutex_unlock(&k->lock);
    if (!answered)
        return elm_fail(err, ELM_SANDBOX, "the keeper process died: nothing can be evaluated any "
                        "more, start elm again");
    reply->why[sizeof(reply->why) - 1] = '\0';
    return ELM_OK;
}
