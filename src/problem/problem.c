/* problem: what every problem starts from and ends by, and the problem made of one file. */
#include "elm/problem.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "problem/folder.h"

#define FILE_EVALUATIONS 1000     /* of a command: each takes a process */

struct elm_problem problem_defaults(void)
{
    return (struct elm_problem){
        .reference_fitness = NAN, .target = NAN, .best_known = NAN, .hardness = NAN,
        .hardness_search = NAN, .solve_rate = NAN,
        .case_count = {64, 64, 64}, .case_seed = 1, .fuel = 100000,
        .total_fuel = UINT64_MAX, .cpu_ms = 200,
        .memory_mb = 64, .nodes_max = 400, .edit_nodes_max = 40, .budget_evaluations = 100000,
    };
}

void elm_problem_free(struct elm_problem *p)
{
    if (p == NULL)
        return;
    for (uint32_t i = 0; i < p->variant_count; i++)
        free(p->variants[i]);
    free(p->variants);
    elm_tree_release(&p->seed);
    elm_names_free(p->names);
    char *const texts[] = {p->name,      p->summary,      p->folder,         p->description,
                           p->variant,   p->seed_text,    p->seed_outside,   p->score_command,
                           p->reference_text, p->best_known_source};
    for (size_t i = 0; i < ELM_COUNT(texts); i++)
        free(texts[i]);
    free(p);
}

/* Trees only of what is C and has something to change; any other file is text. */
static void parse_seed(struct elm_problem *p)
{
    struct elm_error why = {0};
    struct elm_tree tree = {0};
    size_t len = strlen(p->name);
    if (len < 3 || strcmp(p->name + len - 2, ".c") != 0) {
        p->seed_outside = elm_strdup("its name does not end in .c");
    } else if (elm_tree_parse(elm_str(p->seed_text), p->names, &tree, &why) != ELM_OK) {
        p->seed_outside = elm_strdup(why.message);
    } else if (elm_tree_check(&tree, p->names, &why) != ELM_OK) {
        p->seed_outside = elm_strdup(why.message);
        elm_tree_release(&tree);
    } else {
        p->seed = tree;
        if (p->nodes_max < 2 * tree.count)
            p->nodes_max = 2 * tree.count < ELM_NODES_MAX ? 2 * tree.count : ELM_NODES_MAX;
    }
}

enum elm_status elm_problem_from_file(const char *file, const char *command,
                                      struct elm_problem **out, struct elm_error *err)
{
    if (command[strspn(command, " \t\n")] == '\0')
        return elm_fail(err, ELM_USAGE, "the command that scores '%s' is empty: "
                        "--score './bench.sh' is one that prints a number", file);
    char *path = realpath(file, NULL);
    if (path == NULL)
        return elm_fail(err, errno == ENOENT ? ELM_NOT_FOUND : ELM_IO, "cannot open '%s': %s", file,
                        strerror(errno));
    struct elm_buf text = {0};
    enum elm_status status = folder_read(path, ELM_TEXT_BYTES_MAX, &text, err);
    if (status == ELM_OK && strlen(text.ptr) != text.len)
        status = elm_fail(err, ELM_PARSE, "'%s' holds a zero byte: it is not text", file);
    if (status != ELM_OK) {
        elm_buf_release(&text);
        free(path);
        return status;
    }
    struct elm_problem *p = elm_malloc(sizeof(*p));
    *p = problem_defaults();
    p->name = elm_strdup(folder_name(path));
    p->folder = elm_strndup(path, (size_t)(folder_name(path) - path) - (folder_name(path) > path + 1));
    p->summary = elm_strdup("one file scored by a command");
    p->description = elm_strdup("");
    p->variant = elm_strdup("");
    p->score_command = elm_strdup(command);
    p->judge = ELM_JUDGE_COMMAND;
    p->runner = ELM_RUNNER_TCC;
    p->names = elm_names_new();
    p->seed_text = text.ptr;
    memset(p->case_count, 0, sizeof(p->case_count));
    strcpy(p->archive, "rooted");
    strcpy(p->selector, "power");
    p->budget_evaluations = FILE_EVALUATIONS;
    parse_seed(p);
    free(path);
    *out = p;
    return ELM_OK;
}
