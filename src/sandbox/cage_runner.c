/*
 * runner: runs virtual machine code in this process, and compiled code in one forked child a
 * candidate. The child has the cases (read only), one output slot and its own code, nothing of
 * another candidate, not even in a register, and may make no system call but exit. What it wrote
 * is copied after its death to results that no child has mapped.
 */
#include "sandbox/cage_runner.h"

#include <cpuid.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

/* The pages of a block from malloc so large that it has a mapping of its own. */
static void keep_from_children(void *memory, size_t bytes)
{
    uintptr_t first = (uintptr_t)memory & ~(uintptr_t)4095;
    madvise((void *)first, (uintptr_t)memory + bytes - first, MADV_DONTFORK);
}

void runner_hide(void *memory, size_t bytes)
{
    madvise(memory, bytes, MADV_DONTFORK);
}

void runner_hide_vm(struct runner *r)
{
    keep_from_children(r->vm, sizeof(*r->vm));
    keep_from_children(r->vm->arrays, (VM_ARRAY_SLOTS + (size_t)r->vm->state_slots) *
                                          sizeof(r->vm->arrays[0]));
}

static int set_up(struct runner *r, const struct runner_setup *q, int *fds)
{
    r->def = *q;
    r->current = ELM_SETS;
    r->vm_code = cage_map(fds[0], q->vm_bytes, PROT_READ, MAP_SHARED, NULL);
    void *shim = cage_map(fds[1], SHIM_BYTES, PROT_READ | PROT_EXEC,
                          MAP_SHARED | MAP_FIXED_NOREPLACE, (void *)SHIM_BASE);
    r->window = fds[1];
    fds[1] = -1;
    r->results = cage_map(fds[2], q->result_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, NULL);
    size_t heap_bytes = (size_t)q->memory_mb << 20;
    void *heap = cage_map(-1, heap_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, NULL);
    if (r->vm_code == NULL || shim == NULL || r->results == NULL || heap == NULL)
        return -1;
    library_heap(heap, heap_bytes);
    runner_hide((void *)(uintptr_t)r->vm_code, q->vm_bytes);
    runner_hide(r->results, q->result_bytes);
    r->vm = elm_vm_memory_new();
    runner_hide_vm(r);
    return 0;
}

static int add_set(struct runner *r, const struct runner_set *q, int fd)
{
    if (q->set >= ELM_SETS)
        return -1;
    struct cases *c = &r->sets[q->set];
    c->count = q->count;
    c->bytes = (size_t)q->count * r->def.in_bytes;
    c->in = cage_map(fd, c->bytes, PROT_READ, MAP_SHARED, NULL);
    if (c->in == NULL)
        return -1;
    runner_hide((void *)(uintptr_t)c->in, c->bytes);
    size_t bytes = (size_t)q->count * r->def.out_bytes;
    if (bytes > r->scratch_bytes) {
        if (r->scratch != NULL)
            munmap(r->scratch, r->scratch_bytes);
        r->scratch = cage_map(-1, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, NULL);
        r->scratch_bytes = bytes;
        if (r->scratch == NULL)
            return -1;
    }
    return 0;
}

/* Children see the cases of one set only. */
static void show_set(struct runner *r, uint32_t set)
{
    if (r->current == set)
        return;
    if (r->current < ELM_SETS) {
        const struct cases *old = &r->sets[r->current];
        runner_hide((void *)(uintptr_t)old->in, old->bytes);
    }
    madvise((void *)(uintptr_t)r->sets[set].in, r->sets[set].bytes, MADV_DOFORK);
    /* a shorter set leaves the end of the slot as it was */
    memset(r->scratch, 0, r->scratch_bytes);
    r->current = set;
}

static void run_vm(struct runner *r, const struct runner_request *q, const struct run_job *job,
                   struct run_result *result)
{
    const struct cases *c = &r->sets[q->set];
    uint8_t *out = r->results + job->slot * r->def.slot_bytes;
    *result = (struct run_result){0};
    for (uint32_t i = 0; i < c->count; i++) {
        uint64_t steps;
        result->end = elm_vm_run(r->vm_code + job->code.offset, r->vm,
                                 c->in + (size_t)i * r->def.in_bytes,
                                 out + (size_t)i * r->def.out_bytes, q->fuel, &steps);
        result->steps += steps;
        if (result->end != ELM_VM_OK)
            return;
    }
}

/* ---- compiled code ---- */
/* A state that says: all registers as after a reset. Read by each child. */
static struct {
    _Alignas(64) uint8_t bytes[4096];
    bool usable;
} initial;

/* Once: cpuid is dear in a virtual machine, and a page written in the child costs a fault. */
static void prepare_registers(void)
{
    const uint32_t mxcsr = 0x1f80;
    uint32_t a, b, c, d;
    memcpy(initial.bytes + 24, &mxcsr, sizeof(mxcsr));
    initial.usable = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_OSXSAVE) != 0;
}

/* Vector registers still hold what was last copied: the outputs of the candidate before. */
void runner_clear_registers(void)
{
    if (initial.usable)
        __asm__ volatile("xrstor64 %0" : : "m"(initial.bytes), "a"(~0u), "d"(~0u) : "memory");
    __asm__ volatile("fninit");
}

/* The stack below still holds values of the virtual machine. */
__attribute__((noinline)) void runner_clear_stack(void)
{
    volatile uint8_t below[32768];
    for (size_t i = 0; i < sizeof(below); i++)
        below[i] = 0;
}

shim_function *runner_become_candidate(const struct runner *r, const struct runner_request *q,
                                       const struct run_job *job)
{
    void *code = mmap((void *)CODE_BASE, job->code.bytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_FIXED_NOREPLACE, r->window, (off_t)job->code.offset);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(r->window);
    close(CAGE_SOCKET);
    if (code == MAP_FAILED || cage_cpu_timer(SIGKILL, q->cpu_ms) < 0)
        return NULL;
    return (shim_function *)(uintptr_t)q->shim;
}

static _Noreturn void be_candidate(const struct runner *r, const struct runner_request *q,
                                   const struct run_job *job)
{
    const struct cases *c = &r->sets[q->set];
    shim_function *shim = runner_become_candidate(r, q, job);
    if (shim != NULL && seccomp_install(SECCOMP_CANDIDATE) == 0) {
        runner_clear_registers();
        shim((const void *)(uintptr_t)job->code.entry, c->in, r->scratch, (int)c->count, NULL,
             NULL);
        syscall(SYS_exit_group, RUN_DONE);
    }
    for (;;)
        syscall(SYS_exit_group, 1);
}

/* SIGALRM only wakes wait4; it comes again in case it came between two system calls. */
static void arm_wall(uint32_t ms)
{
    struct itimerval when = {.it_value = {ms / 1000, (long)(ms % 1000) * 1000},
                             .it_interval = {0, ms > 0 ? 100000 : 0}};
    setitimer(ITIMER_REAL, &when, NULL);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static uint32_t used_us(const struct rusage *used)
{
    return (uint32_t)((used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000000 +
                      used->ru_utime.tv_usec + used->ru_stime.tv_usec);
}

void runner_reap(pid_t pid, struct run_result *result)
{
    struct rusage used = {0};
    while (wait4(pid, &result->wait_status, 0, &used) < 0 && errno == EINTR)
        ;
    result->cpu_us = used_us(&used);
}

static void run_native(struct runner *r, const struct runner_request *q,
                       const struct run_job *job, struct run_result *result)
{
    size_t bytes = (size_t)r->sets[q->set].count * r->def.out_bytes;
    struct rusage used;
    *result = (struct run_result){0};
    memset(r->scratch, 0, bytes);
    arm_wall(q->wall_ms);
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        be_candidate(r, q, job);
    if (pid < 0) {
        result->late = 1;
        return;
    }
    while (wait4(pid, &result->wait_status, 0, &used) < 0) {
        kill(pid, SIGKILL);
        result->late = 1;
    }
    result->cpu_us = used_us(&used);
    memcpy(r->results + job->slot * r->def.slot_bytes, r->scratch, bytes);
}

static void run(struct runner *r, const struct runner_request *q, struct runner_reply *reply)
{
    if (q->set >= ELM_SETS || r->sets[q->set].in == NULL || q->count > RUN_JOBS_MAX)
        return;
    if (q->op == RUNNER_NATIVE) {
        show_set(r, q->set);
        runner_clear_stack();
    }
    for (uint32_t i = 0; i < q->count; i++) {
        if (q->op == RUNNER_VM)
            run_vm(r, q, &q->jobs[i], &reply->results[i]);
        else
            run_native(r, q, &q->jobs[i], &reply->results[i]);
    }
    if (q->op == RUNNER_NATIVE)
        arm_wall(0);
    reply->count = q->count;
}

int runner_main(void)
{
    static struct runner r;
    static union {
        uint32_t op;
        struct runner_setup setup;
        struct runner_set set;
        struct runner_join join;
        struct runner_request request;
    } q;
    static struct runner_reply reply;
    int fds[WIRE_FDS_MAX];
    struct sigaction alarm = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &alarm, NULL);
    seccomp_prepare();
    prepare_registers();
    if (seccomp_install(SECCOMP_RUNNER) != 0 || cage_ready() != 0)
        return 1;
    while (wire_recv(CAGE_SOCKET, &q, sizeof(q), fds) > 0) {
        reply.op = q.op;
        reply.count = 0;
        if (q.op == RUNNER_SETUP && set_up(&r, &q.setup, fds) != 0)
            return 1;
        if (q.op == RUNNER_SET && add_set(&r, &q.set, fds[0]) != 0)
            return 1;
        if (q.op == RUNNER_JOIN && play_join(&r, &q.join, fds) != 0)
            return 1;
        if (q.op == RUNNER_VM || q.op == RUNNER_NATIVE)
            run(&r, &q.request, &reply);
        if (q.op == RUNNER_PLAY && play(&r, &q.request, &reply) != 0)
            return 1;
        for (int i = 0; i < WIRE_FDS_MAX; i++) {
            if (fds[i] >= 0)
                close(fds[i]);
        }
        reply.cpu_us = cage_cpu_us();
        if (wire_send(CAGE_SOCKET, &reply, runner_reply_bytes(reply.count), NULL, 0) != 0)
            return 1;
    }
    return 0;
}
