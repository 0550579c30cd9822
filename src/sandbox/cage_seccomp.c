/*
 * seccomp: which system calls each part may make. What is not listed ends the process with
 * SIGSYS, and so does every call of another architecture (int 0x80) or of the x32 table.
 */
#include "sandbox/cage_proc.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define FILTER_MAX 192
#define X32_BIT 0x40000000u

struct filter {
    struct sock_filter code[FILTER_MAX];
    uint16_t count;
};

struct rules {
    const short *listed;       /* -1 ends */
    uint32_t listed_does;
    const short *absent;       /* files: fail with ENOENT instead of dying; nullable */
    uint32_t others_do;
};

static const short candidate[] = {SYS_exit_group, SYS_exit, -1};
static const short runner[] = {
    SYS_clone, SYS_wait4, SYS_recvmsg, SYS_sendmsg, SYS_setitimer, SYS_kill, SYS_madvise,
    SYS_read, SYS_write, SYS_poll, SYS_pidfd_open,
    SYS_getrusage, SYS_timer_create, SYS_timer_settime, SYS_prctl, SYS_seccomp, SYS_close,
    SYS_rt_sigreturn, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_mmap, SYS_munmap, SYS_brk,
    SYS_futex, SYS_restart_syscall, SYS_exit_group, SYS_exit, -1,
};
static const short compiler[] = {
    SYS_recvmsg, SYS_sendmsg, SYS_getrusage, SYS_timer_settime, SYS_mmap, SYS_munmap, SYS_mremap,
    SYS_madvise, SYS_brk, SYS_close, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_futex,
    SYS_gettimeofday, SYS_clock_gettime, SYS_time, SYS_gettid, SYS_getpid, SYS_tgkill,
    SYS_restart_syscall, SYS_exit_group, SYS_exit, -1,
};
static const short judge[] = {
    SYS_execveat, SYS_recvmsg, SYS_sendmsg, SYS_read, SYS_poll, SYS_getrusage, SYS_mmap, SYS_munmap,
    SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_close, SYS_rt_sigreturn, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_futex, SYS_arch_prctl, SYS_set_tid_address, SYS_set_robust_list,
    SYS_rseq, SYS_prlimit64, SYS_getrandom, SYS_write, SYS_writev, SYS_gettid, SYS_getpid,
    SYS_tgkill, SYS_restart_syscall, SYS_exit_group, SYS_exit, -1,
};
static const short files[] = {
    SYS_open, SYS_openat, SYS_stat, SYS_lstat, SYS_newfstatat, SYS_access, SYS_faccessat,
    SYS_readlink, SYS_readlinkat, SYS_unlink, SYS_getcwd, SYS_read, SYS_lseek, SYS_fstat,
    SYS_ioctl, SYS_fcntl, SYS_write, -1,
};
/* what a compiler's driver or a test script never needs and an escape does */
static const short tools[] = {
    SYS_socket, SYS_socketpair, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_bpf,
    SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_kexec_load,
    SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_reboot,
    SYS_swapon, SYS_swapoff, SYS_sethostname, SYS_setdomainname, SYS_iopl, SYS_ioperm,
    SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_fsopen, SYS_fsmount, SYS_fsconfig,
    SYS_open_tree, SYS_move_mount, SYS_mount_setattr, SYS_pidfd_getfd, SYS_kcmp, SYS_quotactl,
    SYS_acct, SYS_syslog, SYS_personality, SYS_mknod, SYS_mknodat, SYS_vhangup,
    SYS_migrate_pages, SYS_move_pages, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, -1,
};

static const struct rules rules[] = {
    [SECCOMP_CANDIDATE] = {candidate, SECCOMP_RET_ALLOW, NULL, SECCOMP_RET_KILL_PROCESS},
    [SECCOMP_RUNNER] = {runner, SECCOMP_RET_ALLOW, NULL, SECCOMP_RET_KILL_PROCESS},
    [SECCOMP_COMPILER] = {compiler, SECCOMP_RET_ALLOW, files, SECCOMP_RET_KILL_PROCESS},
    [SECCOMP_JUDGE] = {judge, SECCOMP_RET_ALLOW, files, SECCOMP_RET_KILL_PROCESS},
    [SECCOMP_TOOLS] = {tools, SECCOMP_RET_ERRNO | EPERM, NULL, SECCOMP_RET_ALLOW},
};

static void put(struct filter *f, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    ELM_ASSERT(f->count < FILTER_MAX);
    f->code[f->count++] = (struct sock_filter){code, yes, no, k};
}

static void put_list(struct filter *f, const short *list, uint32_t does)
{
    for (; list != NULL && *list >= 0; list++) {
        put(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)*list, 0, 1);
        put(f, BPF_RET | BPF_K, does, 0, 0);
    }
}

/* Namespaces by clone; clone3, whose arguments a filter can't see, is said not to exist. */
static void put_clone(struct filter *f)
{
    const uint32_t spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                            CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    put(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
    put(f, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
    put(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4);
    put(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]), 0, 0);
    put(f, BPF_JMP | BPF_JSET | BPF_K, spaces, 0, 1);
    put(f, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
    put(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

/* Ends calls of other architectures; then loads the number of the call. */
static void put_start(struct filter *f)
{
    put(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    put(f, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    put(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    put(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    put(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    put(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

static uint32_t argument(uint32_t index, uint32_t half)
{
    return (uint32_t)offsetof(struct seccomp_data, args[0]) + 8 * index + 4 * half;
}

/* One call with one descriptor and 8 bytes, and nothing else of its kind. */
static void put_counter(struct filter *f, uint32_t call, int fd)
{
    put(f, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 8);
    put(f, BPF_LD | BPF_W | BPF_ABS, argument(0, 0), 0, 0);
    put(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fd, 0, 5);
    put(f, BPF_LD | BPF_W | BPF_ABS, argument(2, 0), 0, 0);
    put(f, BPF_JMP | BPF_JEQ | BPF_K, 8, 0, 3);
    put(f, BPF_LD | BPF_W | BPF_ABS, argument(2, 1), 0, 0);
    put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    put(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    put(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

static void build(struct filter *f, enum seccomp_kind kind)
{
    const struct rules *r = &rules[kind];
    f->count = 0;
    put_start(f);
    if (kind == SECCOMP_COMPILER) {
        /* libtcc insists on making pages executable; nothing is ever run there */
        put(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 1);
        put(f, BPF_RET | BPF_K, SECCOMP_RET_ERRNO, 0, 0);
    }
    put_list(f, r->listed, r->listed_does);
    put_list(f, r->absent, SECCOMP_RET_ERRNO | ENOENT);
    if (kind == SECCOMP_TOOLS)
        put_clone(f);
    put(f, BPF_RET | BPF_K, r->others_do, 0, 0);
}

/* of candidates: read by each forked child */
static struct filter prepared, players[SEATS_MAX];

static int install(const struct filter *f)
{
    struct sock_fprog program = {f->count, (struct sock_filter *)(uintptr_t)f->code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

void seccomp_prepare(void)
{
    build(&prepared, SECCOMP_CANDIDATE);
}

void seccomp_prepare_player(uint32_t seat, int asked, int answered)
{
    struct filter *f = &players[seat];
    f->count = 0;
    put_start(f);
    put_counter(f, SYS_read, asked);
    put_counter(f, SYS_write, answered);
    put_list(f, candidate, SECCOMP_RET_ALLOW);
    put(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

int seccomp_install_player(uint32_t seat)
{
    return install(&players[seat]);
}

int seccomp_install(enum seccomp_kind kind)
{
    struct filter other;
    if (kind == SECCOMP_CANDIDATE)
        return install(&prepared);
    build(&other, kind);
    return install(&other);
}
