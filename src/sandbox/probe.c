/* probe: the best sandbox level that works here, found by building the cages. */
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>

enum elm_status elm_sandbox_probe(struct elm_keeper *k, struct elm_sandbox_report *out,
                                  struct elm_error *err)
{
    struct elm_error why[4] = {{0}};
    *out = (struct elm_sandbox_report){0};
    for (int level = 3; level > 0 && out->level == 0; level--) {
        struct cage c = {.socket = -1};
        struct cage_def def = {.keeper = k, .kind = CAGE_PROBE, .level = (uint32_t)level,
                               .memory_mb = 256, .processes = 16, .program = -1};
        struct cage_hello hello = {0};
        if (cage_start(&c, &def, CAGE_READY, &hello, sizeof(hello), &why[level]) == ELM_OK) {
            out->level = level;
            out->seccomp = true;
            out->landlock_abi = hello.landlock_abi;
            out->cpu_timer = hello.cpu_timer != 0;
            out->cgroups = c.cgroup;
            cage_stop(&c);
        }
    }
    out->user_namespaces = out->level == 3;
    if (out->level == 3)
        return ELM_OK;
    struct keeper_request q = {.op = KEEPER_STOP};
    struct keeper_reply reply;
    ELM_TRY(keeper_ask(k, &q, NULL, 0, &reply, err));
    const char *first = why[3].message, *colon = strstr(first, ": ");
    snprintf(out->note, sizeof(out->note), "no full cage here (%.100s); user namespaces are "
             "what it needs: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, or "
             "the container's options", colon == NULL ? first : colon + 2);
    return ELM_OK;
}
