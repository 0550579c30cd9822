/* doctor: tries what elm needs, for real, and says what to do about what is missing. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/text.h"

#include "elm/search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum verdict { GOOD, WARN, BAD };

struct doctor {
    json_t *json;        /* NULL: text */
};

static void say(struct doctor *d, enum verdict verdict, const char *what, const char *finding,
                const char *advice)
{
    static const char *const names[] = {"ok", "warn", "fail"};
    if (d->json != NULL) {
        json_array_append_new(d->json, json_make("{sssssoso}", "verdict", names[verdict], "what",
                                                 what, "finding", json_text(elm_str(finding)),
                                                 "advice", json_text(elm_str(advice))));
        return;
    }
    printf("%-5s %-18s", names[verdict], what);
    text_put(stdout, elm_str(finding));
    printf("\n");
    if (advice != NULL && advice[0] != '\0') {
        printf("%24s", "");
        text_put(stdout, elm_str(advice));
        printf("\n");
    }
}

static void check_sandbox(struct doctor *d, const struct elm_sandbox_report *r)
{
    static const char *const levels[] = {
        "none works: candidates can't be run", "1: limits and seccomp only",
        "2: no namespaces, the rest holds", "3: the full cage",
    };
    char level[80];
    int n = r->level >= 0 && r->level <= 3 ? r->level : 0;
    snprintf(level, sizeof(level), "level %s", levels[n]);
    say(d, n == 3 ? GOOD : n == 2 ? WARN : BAD, "sandbox", level, r->note);
    say(d, r->user_namespaces ? GOOD : WARN, "user namespaces",
        r->user_namespaces ? "yes" : "no: refused here, as in most containers",
        r->user_namespaces ? NULL : "sysctl kernel.unprivileged_userns_clone=1, or a container "
                                    "with its seccomp profile relaxed, gives level 3");
    say(d, r->seccomp ? GOOD : BAD, "seccomp", r->seccomp ? "yes" : "no",
        r->seccomp ? NULL : "a kernel with CONFIG_SECCOMP_FILTER is needed");
    char landlock[32];
    snprintf(landlock, sizeof(landlock), r->landlock_abi > 0 ? "version %d" : "no",
             r->landlock_abi);
    say(d, r->landlock_abi > 0 ? GOOD : WARN, "landlock", landlock,
        r->landlock_abi > 0 ? NULL : "Linux 5.13 or newer has it; the other layers hold without");
    say(d, r->cpu_timer ? GOOD : BAD, "CPU timer", r->cpu_timer ? "yes" : "no", NULL);
    say(d, r->cgroups ? GOOD : WARN, "cgroups", r->cgroups ? "yes" : "no",
        r->cgroups ? NULL : "memory is limited for each process instead");
}

static bool on_path(const char *program)
{
    const char *path = getenv("PATH");
    for (const char *at = path == NULL ? "" : path; *at != '\0';) {
        size_t len = strcspn(at, ":");
        struct elm_buf file = {0};
        elm_buf_printf(&file, "%.*s/%s", (int)len, at, program);
        bool found = len > 0 && access(file.ptr, X_OK) == 0;
        elm_buf_release(&file);
        if (found)
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}

static void check_disk(struct doctor *d, const char *what, const char *folder)
{
    struct statvfs fs;
    char finding[320];
    if (statvfs(folder, &fs) != 0) {
        snprintf(finding, sizeof(finding), "%.200s: %s", folder, strerror(errno));
        say(d, BAD, what, finding, NULL);
        return;
    }
    uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
    bool writable = access(folder, W_OK) == 0;
    snprintf(finding, sizeof(finding), "%.200s: %s free%s", folder, text_bytes(room).s,
             writable ? "" : ", but not writable");
    say(d, !writable ? BAD : room < 200000000 ? WARN : GOOD, what, finding,
        writable ? room < 200000000 ? "an hour of a fast problem takes some hundred MB" : NULL
                 : "`elm run --folder` puts runs elsewhere; XDG_CACHE_HOME moves the cache");
}

static void count_problem(void *ctx, const char *name, const char *summary, const char *folder)
{
    (void)name, (void)summary, (void)folder;
    (*(uint32_t *)ctx)++;
}

static void check_problems(struct doctor *d, const char *path)
{
    struct elm_error err = {0};
    uint32_t count = 0;
    char finding[64];
    if (elm_problem_list(path, count_problem, &count, &err) != ELM_OK) {
        say(d, BAD, "problems", err.message, NULL);
        return;
    }
    snprintf(finding, sizeof(finding), "%u found", count);
    say(d, count > 0 ? GOOD : WARN, "problems", finding,
        count > 0 ? NULL : "`elm new NAME` makes one; --problems-path names folders of them");
}

static void check_machine(struct doctor *d)
{
    bool gcc = on_path("gcc");
    say(d, gcc ? GOOD : BAD, "gcc", gcc ? "yes" : "no: judges can't be compiled",
        gcc ? NULL : "apt-get install gcc libc6-dev");
    char cores[32];
    snprintf(cores, sizeof(cores), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    say(d, GOOD, "cores", cores, NULL);
    check_disk(d, "runs", access("runs", F_OK) == 0 ? "runs" : ".");
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache == NULL || cache[0] == '\0')
        cache = home == NULL || home[0] == '\0' ? "/" : home;
    check_disk(d, "cache", cache);
}

int cmd_doctor(const struct invocation *v)
{
    struct elm_error err = {0};
    struct elm_keeper *keeper = NULL;
    struct elm_sandbox_report report = {0};
    struct doctor d = {0};
    enum elm_status status = elm_keeper_open(&keeper, &err);
    if (status == ELM_OK)
        status = elm_sandbox_probe(keeper, &report, &err);
    if (opt_on(v, OPT_JSON))
        d.json = json_array();
    say(&d, GOOD, "elm", ELM_VERSION, NULL);
    if (status == ELM_OK)
        check_sandbox(&d, &report);
    else
        say(&d, BAD, "sandbox", err.message, NULL);
    check_machine(&d);
    check_problems(&d, opt_text(v, OPT_PROBLEMS_PATH));
    if (keeper != NULL)
        elm_keeper_close(keeper);
    if (d.json != NULL)
        json_print(d.json, stdout, false);
    return report.level >= 2 ? EXIT_DONE : EXIT_NO_SANDBOX;
}
