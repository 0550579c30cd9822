/*
 * cage: what elm, the keeper and the caged helpers say to each other. The helper (`elm-cage`) is
 * one static program with several jobs, told apart by its name: keeper, runner, compiler, gcc,
 * command, probe. A judge process is a program of its own (judge_main.c) in the same cage.
 *
 * Each caged process has one socket (descriptor 3) to elm. It first says CAGE_READY, or CAGE_FAILED
 * and why the cage can't be built, then answers requests until the socket closes.
 */
#ifndef ELM_SANDBOX_CAGE_H
#define ELM_SANDBOX_CAGE_H

#include "elm/base.h"
#include "sandbox/wire.h"

#define CAGE_SOCKET JUDGE_SOCKET
#define CAGE_EXE 4
#define CAGE_READY 0x52474543u
#define CAGE_FAILED 0x46474543u

enum cage_kind {
    CAGE_PROBE, CAGE_RUNNER, CAGE_COMPILER, CAGE_JUDGE, CAGE_GCC, CAGE_COMMAND, CAGE_KINDS,
};

struct cage_hello {
    uint32_t ready;            /* CAGE_READY or CAGE_FAILED */
    int32_t landlock_abi;
    uint8_t cpu_timer;         /* CAGE_PROBE: it killed a process that only loops */
    char why[235];
};

/* ---- elm and the keeper ---- */
enum keeper_op { KEEPER_START, KEEPER_STOP };

struct keeper_request {
    uint32_t op, kind, level;
    int32_t pid;               /* KEEPER_STOP */
    uint32_t memory_mb, processes;
    char folder[4096];         /* CAGE_COMMAND: its copy is the working folder */
};                             /* KEEPER_START: descriptors: socket; the judge's program */

struct keeper_reply {
    int32_t pid;               /* -1: could not be started */
    int32_t wait_status;       /* KEEPER_STOP: how it had ended, or SIGKILL */
    uint64_t cpu_us;           /* KEEPER_STOP: of it and what it reaped */
    uint8_t cgroup;
    char why[240];
};

/* ---- elm and a runner ---- */
#define RUN_JOBS_MAX 128
/* Compiled code lies in a shared window, one program after the other, but each is linked for the
 * same address, where its child maps it and nothing else of the window. That is low, so that 32-bit
 * offsets reach the helper's own functions, whose addresses are the same in compiler and runner,
 * and beyond the first GiB, in which the kernel puts the heap at random. */
#define WINDOW_BYTES ((size_t)64 << 20)
#define SHIM_BASE UINT64_C(0x60000000)
#define SHIM_BYTES ((size_t)64 << 10)      /* at the window's start */
#define CODE_BASE (SHIM_BASE + SHIM_BYTES)
#define CODE_BYTES_MAX (WINDOW_BYTES - SHIM_BYTES)
#define CODE_ALIGN UINT64_C(4096)

enum runner_op { RUNNER_SETUP, RUNNER_SET, RUNNER_VM, RUNNER_NATIVE, RUNNER_JOIN, RUNNER_PLAY };

struct runner_setup {          /* descriptors: VM code, window, results */
    uint32_t op;
    uint32_t in_bytes, out_bytes, memory_mb;
    uint64_t vm_bytes, result_bytes, slot_bytes;
};

struct runner_join {           /* descriptors: play_fd */
    uint32_t op, seats;
    uint64_t board_bytes[2], kept_bytes;
};

struct runner_set {            /* descriptor: cases */
    uint32_t op, set, count;
};

struct code {
    uint64_t offset, bytes;    /* in the window; VM: offset in its memory */
    uint64_t entry;            /* address */
};

struct run_job {
    struct code code;
    uint32_t slot;
    uint32_t native;           /* RUNNER_PLAY */
};

struct runner_request {        /* RUNNER_PLAY: jobs by game and seat */
    uint32_t op, set, count, cpu_ms, wall_ms;
    uint64_t fuel, total_fuel, shim;
    struct run_job jobs[RUN_JOBS_MAX];
};

/* How a compiled candidate's process ended by itself. */
enum run_exit {
    RUN_DONE = 77,
    RUN_NO_MEMORY,             /* its heap is used up */
    RUN_EXITED,                /* it called exit */
    RUN_ABORTED,
};

struct run_result {
    uint64_t steps;
    uint32_t cpu_us;
    int32_t wait_status;
    uint8_t end;               /* enum elm_vm_end */
    uint8_t late;              /* killed by the wall limit */
};

struct runner_reply {
    uint32_t op, count;
    uint64_t cpu_us;           /* of the runner and all it reaped, so far */
    struct run_result results[RUN_JOBS_MAX];
};

static inline size_t runner_reply_bytes(uint32_t count)
{
    return offsetof(struct runner_reply, results) + count * sizeof(struct run_result);
}

/* ---- elm and a compiler (libtcc or gcc) ---- */
enum compiler_op { COMPILER_SETUP, COMPILER_BUILD };
enum build_state { BUILD_NONE, BUILD_OK, BUILD_FAILED, BUILD_MEMORY, BUILD_TIMEOUT, BUILD_LATER };

struct compiler_setup {        /* descriptors: text (read), window (read, write), results (rw) */
    uint32_t op;
    uint64_t text_bytes, shim_at, shim_bytes;
    char entry[64];
    char gcc[256];             /* CAGE_GCC */
};

struct build_job {
    uint64_t at, bytes;        /* of the text */
};

struct compiler_request {
    uint32_t op, count, cpu_ms, memory_mb;
    struct build_job jobs[RUN_JOBS_MAX];
};

/* In shared memory, so that what is done is known when the compiler dies on the next one. */
struct build_result {
    struct code code;
    uint32_t state;
    char why[100];
};

struct build_results {
    uint64_t shim;             /* address */
    struct build_result jobs[RUN_JOBS_MAX];
};

struct compiler_reply {
    uint64_t op, cpu_us;
};

/* How a compiler ends that gives up on a candidate. */
enum compiler_exit { COMPILER_TIMEOUT = 81, COMPILER_CRASHED };

/* ---- elm and a command ---- */
struct command_request {       /* descriptor: the program's text */
    uint32_t wall_ms;
    char file[256];
    char path[2048];           /* $PATH */
    char command[4096];
};

struct command_reply {
    int32_t wait_status;
    uint8_t late, has_number;
    double number;
    uint64_t cpu_us;
    char last_line[160];
};

#endif
