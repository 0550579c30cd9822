/*
 * play: the runner's side of rounds. Each word from the judge asks one seat: virtual machine code
 * runs here, lane by lane; compiled code runs in a child that is forked when it is first asked, so
 * that it never sees a board of the game before. Ends with the judge's word, not the child's.
 */
#include "sandbox/cage_runner.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct player {
    const struct run_job *job;
    struct run_result *result;
    uint64_t fuel;             /* left of all rounds */
    uint32_t state_at;         /* VM: first slot of its first lane */
    pid_t pid;                 /* 0: none */
    int pidfd;
    bool asked, gone;
};

struct game {
    struct runner *r;
    const struct runner_request *q;
    uint32_t lanes, seats;
    struct player players[SEATS_MAX];
};

static int join_seat(struct table *t, uint32_t seat, const int *fds)
{
    struct seat *s = &t->seats[seat];
    size_t in = board_at(PLAY_QUESTIONS, t->def.board_bytes, seat);
    size_t out = board_at(PLAY_ANSWERS, t->def.board_bytes, seat);
    void *questions = mmap(NULL, t->def.board_bytes[PLAY_QUESTIONS], PROT_READ, MAP_SHARED,
                           fds[PLAY_FD_QUESTIONS], (off_t)in);
    s->out = mmap(NULL, t->def.board_bytes[PLAY_ANSWERS], PROT_READ | PROT_WRITE, MAP_SHARED,
                  fds[PLAY_FD_ANSWERS], (off_t)out);
    if (questions == MAP_FAILED || s->out == MAP_FAILED)
        return -1;
    s->live = questions;
    s->in = s->live + ELM_CASES_MAX;
    s->asked = fds[PLAY_FD_ASKED + seat];
    s->answered = fds[PLAY_FD_ANSWERED + seat];
    seccomp_prepare_player(seat, s->asked, s->answered);
    return 0;
}

int play_join(struct runner *r, const struct runner_join *q, int *fds)
{
    struct table *t = &r->table;
    t->def = *q;
    t->words = fds[PLAY_FD_WORDS];
    t->ends = fds[PLAY_FD_ENDS];
    t->state = cage_map(fds[PLAY_FD_ANSWERS], BOARD_ALIGN, PROT_READ | PROT_WRITE, MAP_SHARED,
                        NULL);
    if (t->state == NULL || q->seats > SEATS_MAX)
        return -1;
    runner_hide(t->state, BOARD_ALIGN);
    for (uint32_t seat = 0; seat < q->seats; seat++) {
        if (join_seat(t, seat, fds) != 0)
            return -1;
    }
    t->kept = cage_map(-1, q->kept_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, NULL);
    for (int i = PLAY_FD_WORDS; i < PLAY_FDS; i++)
        fds[i] = -1;
    return t->kept == NULL ? -1 : 0;
}

/* Wakes the judge. A counter that can't be added to wakes it too. */
static void answer(const struct game *g, uint32_t seat)
{
    const uint64_t one = 1;
    if (write(g->r->table.seats[seat].answered, &one, sizeof(one)) < 0)
        errno = 0;
}

static void leave(struct game *g, uint32_t seat)
{
    g->players[seat].gone = true;
    __atomic_store_n(&g->r->table.state->gone[seat], 1, __ATOMIC_RELEASE);
    answer(g, seat);
}

/* ---- virtual machine code ---- */

static void begin_vm(struct game *g)
{
    uint32_t slots = 0;
    for (uint32_t seat = 0; seat < g->seats; seat++) {
        struct player *p = &g->players[seat];
        p->state_at = slots;
        if (!p->job->native)
            slots += elm_vm_state_slots(g->r->vm_code + p->job->code.offset) * g->lanes;
    }
    if (slots > g->r->vm->state_slots) {
        elm_vm_clear_state(g->r->vm, slots);
        runner_hide_vm(g->r);
    } else {
        elm_vm_clear_state(g->r->vm, slots);
    }
}

static void answer_vm(struct game *g, uint32_t seat)
{
    struct player *p = &g->players[seat];
    const struct seat *s = &g->r->table.seats[seat];
    const uint8_t *code = g->r->vm_code + p->job->code.offset;
    uint32_t slots = elm_vm_state_slots(code);
    for (uint32_t i = 0; i < g->lanes && !p->gone; i++) {
        uint64_t steps, fuel = p->fuel < g->q->fuel ? p->fuel : g->q->fuel;
        if (!s->live[i])
            continue;
        p->result->end = elm_vm_run_state(code, g->r->vm, p->state_at + i * slots,
                                          s->in + (size_t)i * g->r->def.in_bytes,
                                          s->out + (size_t)i * g->r->def.out_bytes, fuel, &steps);
        p->fuel -= steps;
        p->result->steps += steps;
        p->gone = p->result->end != ELM_VM_OK;
    }
    if (p->gone)
        leave(g, seat);
    else
        answer(g, seat);
}

/* ---- compiled code ---- */

static _Noreturn void be_player(const struct game *g, uint32_t seat)
{
    const struct table *t = &g->r->table;
    const struct seat *s = &t->seats[seat];
    const struct run_job *job = g->players[seat].job;
    uint64_t count = 1;
    shim_function *shim = runner_become_candidate(g->r, g->q, job);
    close(t->words);
    close(t->ends);
    for (uint32_t i = 0; i < g->seats; i++) {
        if (i != seat) {
            close(t->seats[i].asked);
            close(t->seats[i].answered);
        }
    }
    if (shim == NULL || seccomp_install_player(seat) != 0)
        syscall(SYS_exit_group, 1);
    runner_clear_registers();
    do {
        shim((const void *)(uintptr_t)job->code.entry, s->in, s->out, (int)g->lanes, s->live,
             t->kept);
        count = 1;
    } while (syscall(SYS_write, s->answered, &count, sizeof(count)) == sizeof(count) &&
             syscall(SYS_read, s->asked, &count, sizeof(count)) == sizeof(count));
    for (;;)
        syscall(SYS_exit_group, 1);
}

/* A child has the boards of its own seat only. */
static void show_seat(const struct game *g, uint32_t seat)
{
    const struct table *t = &g->r->table;
    for (uint32_t i = 0; i < g->seats; i++) {
        int advice = i == seat ? MADV_DOFORK : MADV_DONTFORK;
        madvise((void *)(uintptr_t)t->seats[i].live, t->def.board_bytes[PLAY_QUESTIONS], advice);
        madvise(t->seats[i].out, t->def.board_bytes[PLAY_ANSWERS], advice);
    }
}

static void start_child(struct game *g, uint32_t seat)
{
    struct player *p = &g->players[seat];
    show_seat(g, seat);
    runner_clear_stack();
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        be_player(g, seat);
    p->pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (p->pidfd >= 0) {
        p->pid = pid;
        return;
    }
    if (pid > 0) {
        kill(pid, SIGKILL);
        runner_reap(pid, p->result);
    }
    p->result->late = 1;
    leave(g, seat);
}

static void bury_child(struct player *p)
{
    runner_reap(p->pid, p->result);
    close(p->pidfd);
    p->pid = 0;
}

/* ---- the game ---- */

static void ask(struct game *g, uint32_t seat)
{
    struct player *p = &g->players[seat];
    if (p->gone)
        answer(g, seat);
    else if (!p->job->native)
        answer_vm(g, seat);
    else if (!p->asked)
        start_child(g, seat);
    p->asked = true;
}

/* The judge's next word; meanwhile children may die. */
static int next_word(struct game *g, struct play_word *w)
{
    for (;;) {
        struct pollfd fds[1 + SEATS_MAX] = {{g->r->table.words, POLLIN, 0}};
        bool children = false;
        for (uint32_t i = 0; i < g->seats; i++) {
            const struct player *p = &g->players[i];
            fds[1 + i] = (struct pollfd){p->pid > 0 ? p->pidfd : -1, POLLIN, 0};
            children |= p->pid > 0;
        }
        if (children && poll(fds, 1 + g->seats, -1) < 0 && errno != EINTR)
            return -1;
        for (uint32_t i = 0; children && i < g->seats; i++) {
            struct player *p = &g->players[i];
            if (p->pid == 0 || (fds[1 + i].revents & POLLIN) == 0)
                continue;
            bury_child(p);
            /* nobody leaves well before the judge says so */
            if (WIFEXITED(p->result->wait_status) &&
                WEXITSTATUS(p->result->wait_status) == RUN_DONE)
                p->result->wait_status = W_EXITCODE(RUN_EXITED, 0);
            leave(g, i);
        }
        if (children && (fds[0].revents & POLLIN) == 0)
            continue;
        return read(g->r->table.words, w, sizeof(*w)) == (ssize_t)sizeof(*w) ? 0 : -1;
    }
}

/* Takes what is left in a counter, so that the next game starts from nothing. */
static void drain(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    uint64_t count;
    while (poll(&p, 1, 0) > 0 && read(fd, &count, sizeof(count)) == sizeof(count))
        ;
}

static void end_player(struct game *g, uint32_t seat, const struct play_word *w,
                       struct play_end *end)
{
    struct player *p = &g->players[seat];
    const struct seat *s = &g->r->table.seats[seat];
    size_t bytes = (size_t)g->lanes * g->r->def.out_bytes;
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        bury_child(p);
        p->result->wait_status = W_EXITCODE(RUN_DONE, 0);
        p->result->late = (w->late >> seat & 1) != 0;
        p->gone = p->result->late;
    } else if (p->job->native && !p->asked) {
        p->result->wait_status = W_EXITCODE(RUN_DONE, 0);
    }
    end->steps[seat] = p->result->steps;
    end->cpu_us[seat] = p->result->cpu_us;
    end->failed |= (uint32_t)p->gone << seat;
    memcpy(g->r->results + p->job->slot * g->r->def.slot_bytes, s->out, bytes);
    memset(s->out, 0, bytes);
    drain(s->asked);
    drain(s->answered);
    g->r->table.state->gone[seat] = 0;
}

static int play_game(struct game *g)
{
    struct play_end end = {0};
    struct play_word w;
    begin_vm(g);
    for (;;) {
        if (next_word(g, &w) != 0)
            return -1;
        if (w.op == PLAY_END)
            break;
        if (w.op != PLAY_ASK || w.seat >= g->seats)
            return -1;
        ask(g, w.seat);
    }
    for (uint32_t seat = 0; seat < g->seats; seat++)
        end_player(g, seat, &w, &end);
    return write(g->r->table.ends, &end, sizeof(end)) == (ssize_t)sizeof(end) ? 0 : -1;
}

int play(struct runner *r, const struct runner_request *q, struct runner_reply *reply)
{
    uint32_t seats = r->table.def.seats;
    if (q->set >= ELM_SETS || r->sets[q->set].in == NULL || q->count > RUN_JOBS_MAX ||
        seats == 0 || q->count % seats != 0)
        return -1;
    for (uint32_t first = 0; first < q->count; first += seats) {
        struct game g = {.r = r, .q = q, .lanes = r->sets[q->set].count, .seats = seats};
        for (uint32_t i = 0; i < seats; i++) {
            g.players[i] = (struct player){.job = &q->jobs[first + i], .fuel = q->total_fuel,
                                           .result = &reply->results[first + i]};
            reply->results[first + i] = (struct run_result){0};
        }
        if (play_game(&g) != 0)
            return -1;
    }
    reply->count = q->count;
    return 0;
}
