/* confine: what holds at every level: Landlock, resource limits, no privileges. */
#include "sandbox/cage_proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* newer than Debian 12's header */
#define FS_REFER (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define NET_ALL 3ull
#define SCOPE_ALL 3ull

#define FS_READ (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | \
                 LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_FIRST ((1ull << 13) - 1)      /* all of the first version */

struct ruleset {
    uint64_t fs, net, scoped;
};

int confine_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : (int)abi;
}

static int allow(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT ? 0 : -1;
    struct stat st;
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        rule.allowed_access &= LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                               LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
    }
    long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int number = errno;
    close(rule.parent_fd);
    errno = number;
    return (int)result;
}

static int allow_tools(int ruleset, const struct keeper_request *q, const char *work, uint64_t all)
{
    static const char *const toolchain[] = {"/usr", "/lib", "/lib64", "/bin"};
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                          "/dev/urandom"};
    for (size_t i = 0; i < ELM_COUNT(toolchain) && q->kind == CAGE_GCC; i++) {
        if (allow(ruleset, toolchain[i], FS_READ) != 0)
            return -1;
    }
    if (q->kind == CAGE_COMMAND && allow(ruleset, "/", FS_READ) != 0)
        return -1;
    /* at level 3 these are the cage's own */
    if (q->level == 3 && q->kind == CAGE_COMMAND &&
        (allow(ruleset, "/tmp", all) != 0 || allow(ruleset, "/dev/shm", all) != 0))
        return -1;
    for (size_t i = 0; i < ELM_COUNT(devices); i++) {
        if (allow(ruleset, devices[i], all) != 0)
            return -1;
    }
    return allow(ruleset, work, all);
}

int confine_landlock(const struct keeper_request *q, const char *work, char *why, size_t cap)
{
    int abi = confine_landlock_abi();
    if (abi == 0) {
        /* at level 3 the empty root does the same */
        errno = 0;
        return q->level == 3 ? 0 : cage_why(why, cap, "this kernel has no Landlock");
    }
    uint64_t all = FS_FIRST | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
                   (abi >= 5 ? FS_IOCTL_DEV : 0);
    struct ruleset r = {all, abi >= 4 ? NET_ALL : 0, abi >= 6 ? SCOPE_ALL : 0};
    size_t bytes = abi >= 6 ? sizeof(r) : abi >= 4 ? 16 : 8;
    int fd = (int)syscall(SYS_landlock_create_ruleset, &r, bytes, 0);
    if (fd < 0)
        return cage_why(why, cap, "cannot make a Landlock ruleset");
    int result = 0;
    if (q->kind == CAGE_GCC || q->kind == CAGE_COMMAND)
        result = allow_tools(fd, q, work, all);
    if (result != 0 || syscall(SYS_landlock_restrict_self, fd, 0) != 0)
        result = cage_why(why, cap, "cannot enter Landlock");
    close(fd);
    return result;
}

/* Processes of this user, as the process limit counts them. */
static uint64_t own_processes(void)
{
    uint64_t count = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        struct stat st;
        count += e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
                 fstatat(dirfd(d), e->d_name, &st, 0) == 0 && st.st_uid == getuid();
    }
    if (d != NULL)
        closedir(d);
    return count;
}

int confine_limits(const struct keeper_request *q, char *why, size_t cap)
{
    bool tools = q->kind == CAGE_GCC || q->kind == CAGE_COMMAND;
    rlim_t memory = (rlim_t)q->memory_mb << 20;
    const struct {
        int what;
        rlim_t limit;
    } limits[] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_MEMLOCK, 0},
        {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_STACK, (rlim_t)8 << 20},
        {RLIMIT_FSIZE, tools ? (rlim_t)64 << 20 : 0},
        {RLIMIT_NOFILE, tools ? 256 : 32},
        /* the runner maps results sparsely and its children can map nothing */
        {RLIMIT_AS, q->kind == CAGE_RUNNER || q->kind == CAGE_PROBE ? RLIM_INFINITY : memory},
        {RLIMIT_NPROC, tools && q->level < 3 ? own_processes() + q->processes : q->processes},
    };
    for (size_t i = 0; i < ELM_COUNT(limits); i++) {
        /* a runner below level 3 shares its user with others: pids are the filter's business */
        if (limits[i].what == RLIMIT_NPROC && !tools && q->level < 3)
            continue;
        struct rlimit now, want;
        if (getrlimit((__rlimit_resource_t)limits[i].what, &now) != 0)
            return cage_why(why, cap, "cannot read limit %d", limits[i].what);
        want.rlim_max = limits[i].limit < now.rlim_max ? limits[i].limit : now.rlim_max;
        want.rlim_cur = want.rlim_max;
        if (setrlimit((__rlimit_resource_t)limits[i].what, &want) != 0)
            return cage_why(why, cap, "cannot set limit %d", limits[i].what);
    }
    return 0;
}

int confine_privileges(char *why, size_t cap)
{
    for (int c = 0; c < 64; c++) {
        if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
            prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
    }
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {0};
    if (syscall(SYS_capset, &head, none) != 0)
        return cage_why(why, cap, "cannot drop capabilities");
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return cage_why(why, cap, "cannot set no_new_privs");
    return 0;
}
