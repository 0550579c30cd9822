/*
 * wire: packets with descriptors over a seqpacket socket, and what elm and a judge process say to
 * each other. Libc only: embedded in libelm as text and compiled into every judge with
 * judge_main.c.
 */
#ifndef ELM_SANDBOX_WIRE_H
#define ELM_SANDBOX_WIRE_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "elm/judge.h"

#define WIRE_FDS_MAX 8

static inline int wire_send(int socket, const void *bytes, size_t len, const int *fds,
                            uint32_t fd_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(WIRE_FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, len};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)len ? 0 : -1;
}

/* Returns the bytes received, 0 when the other end is gone, -1 on an error. Descriptors beyond
 * those that came are set to -1. */
static inline ssize_t wire_recv(int socket, void *bytes, size_t cap, int fds[WIRE_FDS_MAX])
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(WIRE_FDS_MAX * sizeof(int))];
    } control;
    struct iovec part = {bytes, cap};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    ssize_t got;
    do
        got = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    for (int i = 0; i < WIRE_FDS_MAX; i++)
        fds[i] = -1;
    if (got < 0)
        return -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    return (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? -1 : got;
}

/* ---- a judge process ---- */
#define JUDGE_SOCKET 3
#define JUDGE_READY 0x454a4c45u
#define JUDGE_ITEMS_MAX 64
#define JUDGE_SVG_BYTES (1u << 20)

enum judge_op {
    JUDGE_SETUP,       /* descriptors: shared (read, write), results (read) */
    JUDGE_MAKE,        /* cases of a set to data */
    JUDGE_WANT,        /* wanted outputs, then their mask, to data */
    JUDGE_SCORE,       /* verdicts on the items */
    JUDGE_EXPLAIN,     /* text on case `count` of slot items[0].slot to data */
    JUDGE_PICTURE,     /* SVG of slot items[0].slot to data */
    JUDGE_JOIN,        /* descriptors: play_fd */
    JUDGE_PLAY,        /* rounds with the runner for each of the items, then verdicts */
};

struct judge_hello {
    uint32_t ready;            /* JUDGE_READY */
    uint32_t version;
    uint64_t in_bytes, out_bytes;
    uint8_t scores, compares, wants, explains, pictures, plays;
};

struct judge_item {
    uint32_t slot, slot_a;     /* b and a of compare; a == b when there is no opponent */
    struct elm_cost cost, cost_a;
    uint8_t native[2];         /* JUDGE_PLAY: by seat: compiled, in a process of its own */
};

struct judge_request {
    uint32_t op, set, count;
    uint64_t seed;
    uint64_t shared_bytes, result_bytes, slot_bytes;
    uint64_t board_bytes[2];   /* JUDGE_JOIN */
    uint32_t rounds, wall_ms;  /* JUDGE_PLAY; wall_ms: for one answer */
    struct judge_item items[JUDGE_ITEMS_MAX];
};

struct judge_reply {
    uint32_t op;
    int32_t count;             /* cases made; bytes written; -1: it can't */
    uint64_t cpu_us;
};

struct judge_verdict {
    int32_t compared;
    struct elm_result result;
};

/* The memory that elm reads and the judge writes. */
struct judge_shared {
    struct judge_verdict verdicts[JUDGE_ITEMS_MAX];
    _Alignas(64) uint8_t data[];
};

/* ---- a judge process and a runner that play rounds, without elm in between ---- */
/* Programs sit in seats: one in seat 0, or a in seat 0 and b in seat 1 and the lanes shared out in
 * turn. A seat has a board of questions, that only the judge writes, and one of answers:
 *     questions  live[ELM_CASES_MAX], then the `in` bytes of all lanes
 *     answers    the `out` bytes of all lanes
 * The judge fills a board and asks: a word through the pipe to the runner, which runs virtual
 * machine code itself and forks a child for compiled code. The child is asked through a counter
 * of its seat from the second time on, has that seat's boards and no others, and may read the one
 * counter and write the other, so that a lie harms but itself: it wakes the judge early. Whether
 * a seat is still in the game stands where only the runner writes. */
#define SEATS_MAX 2
#define BOARD_ALIGN ((size_t)4096)
enum play_side { PLAY_QUESTIONS, PLAY_ANSWERS };
enum play_fd {                 /* in this order with JUDGE_JOIN and RUNNER_JOIN */
    PLAY_FD_QUESTIONS, PLAY_FD_ANSWERS,
    PLAY_FD_WORDS,             /* pipe: judge to runner */
    PLAY_FD_ENDS,              /* pipe: runner to judge */
    PLAY_FD_ASKED,             /* counters, by seat: the judge adds, the child reads */
    PLAY_FD_ANSWERED = PLAY_FD_ASKED + SEATS_MAX,
    PLAY_FDS = PLAY_FD_ANSWERED + SEATS_MAX,
};
enum play_op { PLAY_ASK, PLAY_END };

struct play_word {
    uint32_t op, seat;
    uint32_t late;             /* PLAY_END: bit by seat: it did not answer in time */
};

/* The answer to PLAY_END: both sides are ready for the next game. */
struct play_end {
    uint64_t steps[SEATS_MAX], cpu_us[SEATS_MAX];
    uint32_t failed;           /* bit by seat */
};

/* The first bytes of the answers, before the boards of all seats. */
struct play_state {
    uint32_t gone[SEATS_MAX];  /* it failed: no answer will come */
};

/* Where a seat's board begins on one side. */
static inline size_t board_at(enum play_side side, const uint64_t board_bytes[2], uint32_t seat)
{
    return (side == PLAY_ANSWERS ? BOARD_ALIGN : 0) + seat * board_bytes[side];
}

#endif
