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
    uint8_t *window;
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

static void link_code(TCCState *s, const char *name, uint64_t base, uint64_t room,
                      struct build_result *r)
{
    int size = tcc_relocate(s, NULL);
    if (size < 0) {
        build_fail(r, BUILD_FAILED, "it does not link");
        return;
    }
    if ((uint64_t)size > room) {
        build_fail(r, BUILD_MEMORY, "its variables take more memory than is allowed");
        return;
    }
    /* libtcc leaves the gaps between sections as they are */
    void *code = (void *)(uintptr_t)base;
    memset(code, 0, (size_t)size);
    if (tcc_relocate(s, code) != 0) {
        build_fail(r, BUILD_FAILED, "it does not link");
        return;
    }
    r->code.bytes = (uint64_t)size;
    r->code.entry = (uint64_t)(uintptr_t)tcc_get_symbol(s, name);
    if (r->code.entry < base || r->code.entry >= base + (uint64_t)size)
        build_fail(r, BUILD_FAILED, "there is no function '%s'", name);
    if (r->state == BUILD_NONE)
        r->state = BUILD_OK;
}

static void compile(struct elm_str text, const char *entry, uint64_t base, uint64_t room,
                    struct build_result *r)
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
        link_code(s, entry, base, room, r);
    } else {
        build_fail(r, BUILD_FAILED, "it does not compile");
    }
    tcc_delete(s);
    elm_buf_release(&source);
}

static void build_tcc(const struct compiler_setup *def, struct elm_str text,
                      const struct compiler_request *q, uint64_t room, struct build_result *r)
{
    (void)q;
    compile(text, def->entry, CODE_BASE, room, r);
}

static int build_shim(struct compiler *c)
{
    struct build_result r = {0};
    struct elm_str text = {c->text + c->def.shim_at, c->def.shim_bytes};
    compile(text, "elm_shim", SHIM_BASE, SHIM_BYTES, &r);
    memcpy(c->window, (void *)SHIM_BASE, r.code.bytes);
    c->results->shim = r.code.entry;
    return r.state == BUILD_OK ? 0 : -1;
}

static int set_up(struct compiler *c, const struct compiler_setup *q, const int *fds)
{
    c->def = *q;
    c->text = cage_map(fds[0], q->text_bytes, PROT_READ, MAP_SHARED, NULL);
    c->window = cage_map(fds[1], WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, NULL);
    c->results = cage_map(fds[2], sizeof(*c->results), PROT_READ | PROT_WRITE, MAP_SHARED, NULL);
    void *code = cage_map(-1, WINDOW_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
                          (void *)SHIM_BASE);
    if (c->text == NULL || c->window == NULL || c->results == NULL || code == NULL)
        return -1;
    return build_shim(c);
}

/* Moves the code to the window. Its last page is cleared: it held another program's. */
static void keep_code(struct compiler *c, uint64_t *used, struct build_result *r)
{
    uint64_t whole = (r->code.bytes + CODE_ALIGN - 1) / CODE_ALIGN * CODE_ALIGN;
    if (whole > WINDOW_BYTES - *used) {
        r->state = BUILD_LATER;
        return;
    }
    memcpy(c->window + *used, (void *)CODE_BASE, r->code.bytes);
    memset(c->window + *used + r->code.bytes, 0, whole - r->code.bytes);
    r->code.offset = *used;
    *used += whole;
}

/* Builds what fits the window; the rest is for later. The state is written last: a result that
 * has one is done. */
static void build_all(struct compiler *c, const struct compiler_request *q)
{
    uint64_t used = SHIM_BYTES, room = (uint64_t)q->memory_mb << 20;
    room = room < CODE_BYTES_MAX ? room : CODE_BYTES_MAX;
    for (uint32_t i = 0; i < q->count && i < RUN_JOBS_MAX; i++) {
        struct build_result r = {0}, *out = &c->results->jobs[i];
        if (c->timer >= 0)
            cage_cpu_rearm(c->timer, q->cpu_ms);
        c->build(&c->def, (struct elm_str){c->text + q->jobs[i].at, q->jobs[i].bytes}, q, room, &r);
        if (r.state == BUILD_OK)
            keep_code(c, &used, &r);
        memcpy(out->why, r.why, sizeof(out->why));
        out->code = r.code;
        __atomic_store_n(&out->state, r.state, __ATOMIC_RELEASE);
    }
    if (c->timer >= 0)
        cage_cpu_rearm(c->timer, 0);
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
            build_all(&c, &q.request);
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
