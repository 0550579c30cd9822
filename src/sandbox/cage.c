/* cage: starts, asks and stops one caged process. */
#include "sandbox/sandbox.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define START_MS 20000

static const char *const names[CAGE_KINDS] = {
    [CAGE_PROBE] = "probe", [CAGE_RUNNER] = "runner", [CAGE_COMPILER] = "compiler",
    [CAGE_JUDGE] = "judge", [CAGE_GCC] = "gcc",       [CAGE_COMMAND] = "command",
};

/* A packet within timeout_ms; 0: it is gone, -1: late or broken. */
static ssize_t receive(int socket, void *bytes, size_t cap, uint32_t timeout_ms)
{
    int fds[WIRE_FDS_MAX];
    int64_t until = elm_clock_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        int64_t left = (until - elm_clock_us()) / 1000;
        struct pollfd p = {socket, POLLIN, 0};
        int ready = poll(&p, 1, left < 0 ? 0 : (int)left + 1);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return -1;
        ssize_t got = wire_recv(socket, bytes, cap, fds);
        for (int i = 0; i < WIRE_FDS_MAX; i++) {
            if (fds[i] >= 0)
                close(fds[i]);
        }
        return got;
    }
}

void cage_stop(struct cage *c)
{
    if (c->socket < 0)
        return;
    close(c->socket);
    c->socket = -1;
    struct keeper_request q = {.op = KEEPER_STOP, .pid = c->pid};
    struct keeper_reply reply;
    c->wait_status = 0;
    if (keeper_ask(c->keeper, &q, NULL, 0, &reply, NULL) == ELM_OK) {
        c->wait_status = reply.wait_status;
        c->cpu_us += reply.cpu_us > c->live_cpu_us ? reply.cpu_us : c->live_cpu_us;
    }
    c->live_cpu_us = 0;
}

enum elm_status cage_start(struct cage *c, const struct cage_def *def, uint32_t ready,
                           void *hello, size_t hello_bytes, struct elm_error *err)
{
    int sockets[2];
    struct keeper_request q = {.op = KEEPER_START, .kind = def->kind, .level = def->level,
                               .memory_mb = def->memory_mb, .processes = def->processes};
    struct keeper_reply reply;
    if (def->folder != NULL && snprintf(q.folder, sizeof(q.folder), "%s", def->folder) >=
        (int)sizeof(q.folder))
        return elm_fail(err, ELM_RANGE, "the path '%s' is too long", def->folder);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return elm_fail(err, ELM_SANDBOX, "cannot make a socket: %s", strerror(errno));
    int fds[2] = {sockets[1], def->program};
    enum elm_status status = keeper_ask(def->keeper, &q, fds, def->program >= 0 ? 2 : 1, &reply,
                                        err);
    close(sockets[1]);
    if (status == ELM_OK && reply.pid < 0)
        status = elm_fail(err, ELM_SANDBOX, "cannot start the caged %s: %s", names[def->kind],
                          reply.why);
    if (status != ELM_OK) {
        close(sockets[0]);
        return status;
    }
    c->keeper = def->keeper;
    c->kind = def->kind;
    c->socket = sockets[0];
    c->pid = reply.pid;
    c->cgroup = reply.cgroup;
    union {
        struct cage_hello failed;
        struct judge_hello judge;
    } first = {{0}};
    ssize_t got = receive(c->socket, &first, sizeof(first), START_MS);
    if (got == (ssize_t)hello_bytes && first.failed.ready == ready) {
        memcpy(hello, &first, hello_bytes);
        return ELM_OK;
    }
    first.failed.why[sizeof(first.failed.why) - 1] = '\0';
    cage_stop(c);
    return elm_fail(err, ELM_SANDBOX, "cannot start the caged %s at level %u: %s",
                    names[def->kind], def->level,
                    got > 0 && first.failed.ready == CAGE_FAILED ? first.failed.why
                                                                  : "it died at once");
}

enum elm_status cage_ask_pair(const struct cage_call calls[2], uint32_t timeout_ms)
{
    int64_t until = elm_clock_us() + (int64_t)timeout_ms * 1000;
    bool answered[2] = {false, false}, failed = false;
    for (int i = 0; i < 2; i++) {
        const struct cage_call *c = &calls[i];
        failed |= c->cage->socket < 0 ||
                  wire_send(c->cage->socket, c->q, c->q_bytes, NULL, 0) != 0;
    }
    while (!failed && !(answered[0] && answered[1])) {
        struct pollfd p[2];
        for (int i = 0; i < 2; i++)
            p[i] = (struct pollfd){answered[i] ? -1 : calls[i].cage->socket, POLLIN, 0};
        int64_t left = (until - elm_clock_us()) / 1000;
        int ready = poll(p, 2, left < 0 ? 0 : (int)left + 1);
        failed = ready == 0 || (ready < 0 && errno != EINTR);
        for (int i = 0; i < 2 && ready > 0; i++) {
            if (p[i].revents == 0)
                continue;
            answered[i] = true;
            failed |= receive(p[i].fd, calls[i].reply, calls[i].reply_cap, 0) <
                      (ssize_t)calls[i].reply_min;
        }
    }
    if (!failed)
        return ELM_OK;
    cage_stop(calls[0].cage);
    cage_stop(calls[1].cage);
    return ELM_SANDBOX;
}

enum elm_status cage_ask(struct cage *c, const void *q, size_t q_bytes, const int *fds,
                         uint32_t fd_count, void *reply, size_t reply_min, size_t reply_cap,
                         uint32_t timeout_ms)
{
    if (c->socket >= 0 && wire_send(c->socket, q, q_bytes, fds, fd_count) == 0) {
        ssize_t got = receive(c->socket, reply, reply_cap, timeout_ms);
        if (got >= (ssize_t)reply_min)
            return ELM_OK;
    }
    cage_stop(c);
    return ELM_SANDBOX;
}
