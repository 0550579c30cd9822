/* new: a problem folder that runs at once. */
#include "cli/command.h"
#include "cli/text.h"

#include "elm/problem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static enum elm_status scaffold(const char *name, struct elm_buf *path, struct elm_error *err)
{
    bool plain = strchr(name, '/') == NULL;
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (plain && (name[strspn(name, good)] != '\0' || name[0] == '.' || name[0] == '-')) {
        return elm_fail(err, ELM_USAGE, "'%.80s' is no name for a problem: letters, digits, _, - "
                        "and . only, or a path with a slash", name);
    }
    if (plain && mkdir("problems", 0777) != 0 && errno != EEXIST) {
        return elm_fail(err, ELM_IO, "cannot make the folder 'problems': %s; give a path with a "
                        "slash to write elsewhere", strerror(errno));
    }
    elm_buf_printf(path, "%s%s", plain ? "problems/" : "", name);
    return elm_problem_scaffold(path->ptr, err);
}

int cmd_new(const struct invocation *v)
{
    struct elm_error err = {0};
    struct elm_buf path = {0}, name = {0};
    int exit_status = EXIT_DONE;
    if (scaffold(v->args[0], &path, &err) == ELM_OK) {
        text_shell(&name, v->args[0]);
        text_put(stdout, elm_buf_str(&path));
        printf(" is ready: problem.yaml, seed.c and judge.c say what to change\n"
               "run it with: elm run %s --minutes 1\n", name.ptr);
    } else {
        exit_status = cmd_fail(&err);
    }
    elm_buf_release(&path);
    elm_buf_release(&name);
    return exit_status;
}
