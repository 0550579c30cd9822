/* probe: what works here, tried for real in a cage of the level asked for. */
#include "sandbox/cage_proc.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* A child that only loops is killed by its timer. */
static bool timer_works(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit second = {1, 1};
        setrlimit(RLIMIT_CPU, &second);
        if (cage_cpu_timer(SIGKILL, 1) < 0)
            _exit(1);
        for (volatile int i = 0;; i++)
            ;
    }
    int status = 0;
    struct rusage used;
    return pid > 0 && wait4(pid, &status, 0, &used) == pid && WIFSIGNALED(status) &&
           used.ru_utime.tv_sec + used.ru_stime.tv_sec == 0;
}

/* A child under the candidate's filter dies of its first system call. */
static bool filter_works(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (seccomp_install(SECCOMP_CANDIDATE) == 0)
            syscall(SYS_getppid);
        syscall(SYS_exit_group, 1);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGSYS;
}

int probe_main(void)
{
    struct cage_hello hello = {.ready = CAGE_READY, .landlock_abi = confine_landlock_abi()};
    seccomp_prepare();
    hello.cpu_timer = timer_works();
    errno = 0;
    if (!filter_works()) {
        hello.ready = CAGE_FAILED;
        cage_why(hello.why, sizeof(hello.why), "seccomp filters don't work here");
    }
    return wire_send(CAGE_SOCKET, &hello, sizeof(hello), NULL, 0);
}
