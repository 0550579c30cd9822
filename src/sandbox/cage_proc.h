/* cage_proc: the parts of the helper. Private to the helper program. */
#ifndef ELM_SANDBOX_CAGE_PROC_H
#define ELM_SANDBOX_CAGE_PROC_H

#include "sandbox/cage.h"

/* A failure's reason with strerror, for the hello; returns -1. */
int cage_why(char *why, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The parts, by name; each returns the exit status. */
int keeper_main(void);
int probe_main(void);
int runner_main(void);
int compiler_main(void);
int gcc_main(void);
int command_main(void);

/* Says CAGE_READY. */
int cage_ready(void);
/* Opens /dev/null for 0, 1 and 2 where they are closed, so that no other file gets these. */
int cage_fill_standard(void);
uint64_t cage_cpu_us(void);        /* this process and what it reaped */
void *cage_map(int fd, size_t bytes, int protection, int flags, void *at);   /* NULL: failed */
/* Arms a timer on the CPU time of this process: SIGKILL (a child's end) or a signal with a handler.
 * Returns the timer for cage_rearm, -1 on failure. */
int cage_cpu_timer(int signal, uint32_t ms);
void cage_cpu_rearm(int timer, uint32_t ms);

/* cage_namespace.c: level 3, in the child that the keeper cloned into new namespaces. work: where
 * the working folder is to be (gcc, command). */
int namespace_enter(const struct keeper_request *q, bool mapped_root, char *why, size_t cap);
/* Copies what is in folder `from` into `to`, at most 64 MiB. */
int folder_copy(int from, int to, char *why, size_t cap);

/* cage_confine.c: what holds at every level. */
int confine_landlock_abi(void);
int confine_landlock(const struct keeper_request *q, const char *work, char *why, size_t cap);
int confine_limits(const struct keeper_request *q, char *why, size_t cap);
int confine_privileges(char *why, size_t cap);

/* cage_seccomp.c */
enum seccomp_kind {
    SECCOMP_CANDIDATE, SECCOMP_RUNNER, SECCOMP_COMPILER, SECCOMP_JUDGE, SECCOMP_TOOLS,
};
/* Builds the filter (once) and installs it. */
int seccomp_install(enum seccomp_kind kind);
/* Builds the candidate's filter ahead of the forks. */
void seccomp_prepare(void);
/* The same of one that plays in a seat: it may also read one counter and write another. */
void seccomp_prepare_player(uint32_t seat, int asked, int answered);
int seccomp_install_player(uint32_t seat);

/* cage_cgroup.c */
struct cgroup {
    char paths[2][512];        /* v2: one; v1: memory and pids; "" unused */
};
bool cgroup_make(struct cgroup *g, const char *name, uint32_t memory_mb, uint32_t processes);
void cgroup_join(const struct cgroup *g, int pid);
void cgroup_remove(struct cgroup *g);
/* Removes those of keepers that were killed. */
void cgroup_sweep(void);

/* cage_library.c: the functions that a candidate may call. */
typedef void library_function(void *ctx, const char *name, void *address);
void library_each(library_function *each, void *ctx);
/* Those whose names occur in the text, and those that a compiler itself may call. */
void library_used(struct elm_str text, library_function *each, void *ctx);
void library_heap(void *memory, size_t bytes);

/* cage_compiler.c: answers requests to build with one of two compilers. A build function leaves
 * code linked for CODE_BASE there and says its entry and bytes, at most room. */
typedef void build_function(const struct compiler_setup *def, struct elm_str text,
                            const struct compiler_request *q, uint64_t room,
                            struct build_result *r);
int compiler_serve(build_function *build, int timer);
/* The first reason counts. */
void build_fail(struct build_result *r, enum build_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* cage_headers.c: appends the text with each #include of a known header replaced by its text. */
void headers_expand(struct elm_str text, struct elm_buf *out);

#endif
