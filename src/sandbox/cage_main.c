/* cage_main: the helper's parts by name, and what they share. */
#include "sandbox/cage_proc.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

int cage_why(char *why, size_t cap, const char *format, ...)
{
    int number = errno;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(why, cap, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < cap && number != 0)
        snprintf(why + len, cap - (size_t)len, ": %s", strerror(number));
    return -1;
}

int cage_ready(void)
{
    struct cage_hello hello = {.ready = CAGE_READY};
    return wire_send(CAGE_SOCKET, &hello, sizeof(hello), NULL, 0);
}

int cage_fill_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= 2);
    close(fd);
    return fd < 0 ? -1 : 0;
}

static uint64_t rusage_us(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

uint64_t cage_cpu_us(void)
{
    return rusage_us(RUSAGE_SELF) + rusage_us(RUSAGE_CHILDREN);
}

void *cage_map(int fd, size_t bytes, int protection, int flags, void *at)
{
    void *memory = mmap(at, bytes, protection, flags, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

int cage_cpu_timer(int signal, uint32_t ms)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
    int timer;
    if (syscall(SYS_timer_create, CLOCK_PROCESS_CPUTIME_ID, &event, &timer) != 0)
        return -1;
    cage_cpu_rearm(timer, ms);
    return timer;
}

void cage_cpu_rearm(int timer, uint32_t ms)
{
    struct itimerspec when = {.it_value = {ms / 1000, (long)(ms % 1000) * 1000000}};
    syscall(SYS_timer_settime, timer, 0, &when, NULL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } parts[] = {
        {"elm-keeper", keeper_main},     {"elm-probe", probe_main}, {"elm-runner", runner_main},
        {"elm-compiler", compiler_main}, {"elm-gcc", gcc_main},     {"elm-command", command_main},
    };
    const char *name = argc > 0 ? argv[0] : "";
    for (size_t i = 0; i < ELM_COUNT(parts); i++) {
        if (strcmp(name, parts[i].name) == 0) {
            prctl(PR_SET_DUMPABLE, parts[i].run == keeper_main);
            if (parts[i].run != keeper_main)
                prctl(PR_SET_PDEATHSIG, SIGKILL);
            return parts[i].run();
        }
    }
    return 2;
}
