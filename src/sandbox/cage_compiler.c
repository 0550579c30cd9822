/*
 * compiler: libtcc kept warm, in a process that never forks and never runs what it compiled. Code
 * goes to the window, linked for the address where a runner's children have it.
 */
#include "sandbox/cage_proc.h"

#include <libtcc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define STACK_BYTES ((size_t)64 << 10)

struct compiler {
    struct compiler_setup def;
    const char *text;
    struct build_results *results;
    build_function *build;
    int timer;                 /* -1: none */
};

/* What the program defines itself is its own. */
static void add_function(void *ctx, const char *name, void *address)
{
    if (tcc_get_symbol(ctx, name) == NULL)
        tcc_add_symbol(ctx, name, address);
}

/* Keeps the first error: "<string>:3: error: text" as "line 3: text". */
static void on_error(void *opaque, const char *message)
{
    struct build_result *r = opaque;
    const char *text = strstr(message, "error: ");
    if (r->state != BUILD_NONE || (text == NULL && strstr(message, "warning: ") != NULL))
        return;
    text = text == NULL ? message : text + 7;
    const char *line = strstr(message, "<string>:");
    long number = line == NULL ? 0 : strtol(line + 9, NULL, 10);
    r->state = strstr(text, "memory full") != NULL ? BUILD_MEMORY : BUILD_FAILED;
    if (number > 0)
        snprintf(r->why, sizeof(r->why), "line %ld: %s", number, text);
    else
        snprintf(r->why, sizeof(r->why), "%s", text);
}

void build_fail(struct build_result *r, enum build_state state, const char *format, ...)
{
    if (r->state != BUILD_NONE)
        return;
    r->state = state;
    va_list args;
    va_start(args, format);
    vsnprintf(r->why, sizeof(r->why), format, args);
    va_end(args);
}

static void link_code(TCCState *s, const char *name, const struct compiler_request *q,
                      uint64_t *used, struct build_result *r)
{
    int size = tcc_relocate(s, NULL);
    if (size < 0) {
        build_fail(r, BUILD_FAILED, "it does not link");
        return;
    }
    if ((uint64_t)size > (uint64_t)q->memory_mb << 20 ||
        (uint64_t)size > WINDOW_BYTES - SHIM_BYTES) {
        build_fail(r, BUILD_MEMORY, "its variables take more memory than is allowed");
        return;
    }
    if ((uint64_t)size > WINDOW_BYTES - *used) {
        build_fail(r, BUILD_LATER, "the window is full");
        return;
    }
    uint64_t base = WINDOW_BASE + *used;
    if (tcc_relocate(s, (void *)(uintptr_t)base) != 0) {
        build_fail(r, BUILD_FAILED, "it does not link");
        return;
    }
    uint64_t entry = (uint64_t)(uintptr_t)tcc_get_symbol(s, name);
    if (entry < base || entry >= base + (uint64_t)size) {
        build_fail(r, BUILD_FAILED, "there is no function '%s'", name);
        return;
    }
    r->entry = entry;
    *used = (*used + (uint64_t)size + 63) & ~(uint64_t)63;
    if (r->state == BUILD_NONE)
        r->state = BUILD_OK;
}

static void build_tcc(const struct compiler_setup *def, struct elm_str text,
                      const struct compiler_request *q, uint64_t *used, struct build_result *r)
{
    TCCState *s = tcc_new();
    if (s == NULL) {
        build_fail(r, BUILD_MEMORY, "no memory to compile it");
        return;
    }
    struct elm_buf source = {0};
    /* no symbol of the program may have value 0, which libtcc takes for undefined */
    elm_buf_add_str(&source, ELM_STR("static void elm_first_(void){}\n#line 1\n"));
    headers_expand(text, &source);
    tcc_set_error_func(s, r, on_error);
    tcc_set_options(s, "-nostdlib -nostdinc -w");
    tcc_set_output_type(s, TCC_OUTPUT_MEMORY);
    if (tcc_compile_string(s, source.ptr) == 0) {
        library_used(text, add_function, s);
        link_code(s, def->entry, q, used, r);
    } else {
        build_fail(r, BUILD_FAILED, "it does not compile");
    }
    tcc_delete(s);
    elm_buf_release(&source);
}

static int set_up(struct compiler *c, const struct compiler_setup *q, const int *fds)
{
    c->text = cage_map(fds[0], q->text_bytes, PROT_READ, MAP_SHARED, NULL);
    void *window = cage_map(fds[1], WINDOW_BYTES, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_FIXED_NOREPLACE, (void *)WINDOW_BASE);
    c->results = cage_map(fds[2], sizeof(*c->results), PROT_READ | PROT_WRITE, MAP_SHARED, NULL);
    if (c->text == NULL || window == NULL || c->results == NULL)
        return -1;
    struct build_result r = {0};
    struct compiler_request limits = {.memory_mb = 1};
    uint64_t used = 0;
    c->def = *q;
    snprintf(c->def.entry, sizeof(c->def.entry), "elm_shim");
    build_tcc(&c->def, (struct elm_str){c->text + q->shim_at, q->shim_bytes}, &limits, &used, &r);
    c->def = *q;
    c->results->shim = r.entry;
    return r.state == BUILD_OK && used <= SHIM_BYTES ? 0 : -1;
}

/* Builds what fits the window; the rest is for later. The state is written last: a result that
 * has one is done. */
static void build_all(struct compiler *c, const struct compiler_request *q,
                      struct compiler_reply *reply)
{
    uint64_t used = q->used;
    for (uint32_t i = 0; i < q->count && i < RUN_JOBS_MAX; i++) {
        struct build_result r = {0}, *out = &c->results->jobs[i];
        if (__atomic_load_n(&out->state, __ATOMIC_ACQUIRE) != BUILD_NONE)
            continue;
        if (c->timer >= 0)
            cage_cpu_rearm(c->timer, q->cpu_ms);
        c->build(&c->def, (struct elm_str){c->text + q->jobs[i].at, q->jobs[i].bytes}, q, &used, &r);
        memcpy(out->why, r.why, sizeof(out->why));
        out->entry = r.entry;
        __atomic_store_n(&out->state, r.state, __ATOMIC_RELEASE);
    }
    if (c->timer >= 0)
        cage_cpu_rearm(c->timer, 0);
    reply->used = used;
}

int compiler_serve(build_function *build, int timer)
{
    static struct compiler c;
    static union {
        uint32_t op;
        struct compiler_setup setup;
        struct compiler_request request;
    } q;
    int fds[WIRE_FDS_MAX];
    c.build = build;
    c.timer = timer;
    while (wire_recv(CAGE_SOCKET, &q, sizeof(q), fds) > 0) {
        struct compiler_reply reply = {.op = q.op};
        if (q.op == COMPILER_SETUP && set_up(&c, &q.setup, fds) != 0)
            return 1;
        if (q.op == COMPILER_BUILD)
            build_all(&c, &q.request, &reply);
        for (int i = 0; i < WIRE_FDS_MAX; i++) {
            if (fds[i] >= 0)
                close(fds[i]);
        }
        reply.cpu_us = cage_cpu_us();
        if (wire_send(CAGE_SOCKET, &reply, sizeof(reply), NULL, 0) != 0)
            return 1;
    }
    return 0;
}

static void on_signal(int signal)
{
    _exit(signal == SIGPROF ? COMPILER_TIMEOUT : COMPILER_CRASHED);
}

/* As the first process of its namespace it can't be killed by its own timer, so it ends itself;
 * a program that nests too deeply overflows the stack, so the handler has one of its own. */
static int catch_signals(void)
{
    static const int caught[] = {SIGPROF, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    stack_t stack = {.ss_sp = elm_malloc(STACK_BYTES), .ss_size = STACK_BYTES};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&stack, NULL) != 0)
        return -1;
    for (size_t i = 0; i < ELM_COUNT(caught); i++)
        sigaction(caught[i], &action, NULL);
    return cage_cpu_timer(SIGPROF, 0);
}

int compiler_main(void)
{
    int timer = catch_signals();
    if (timer < 0 || seccomp_install(SECCOMP_COMPILER) != 0 || cage_ready() != 0)
        return 1;
    return compiler_serve(build_tcc, timer);
}
