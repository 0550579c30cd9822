/* grammar_rig: every program of problems/, and readings of spans in them. */
#ifndef ELM_TESTS_GRAMMAR_RIG_H
#define ELM_TESTS_GRAMMAR_RIG_H

#include "elm/grammar.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIG_PROGRAMS_MAX 128

struct grammar_rig {
    struct elm_names *names;
    struct elm_tree trees[RIG_PROGRAMS_MAX];
    char paths[RIG_PROGRAMS_MAX][300];
    uint32_t count;
};

/* True if the text is core C. */
static inline bool rig_add(struct grammar_rig *r, struct elm_str text, const char *path)
{
    struct elm_tree *t = &r->trees[r->count];
    if (r->count == RIG_PROGRAMS_MAX || elm_tree_parse(text, r->names, t, NULL) != ELM_OK)
        return false;
    if (elm_tree_check(t, r->names, NULL) != ELM_OK) {
        elm_tree_release(t);
        return false;
    }
    snprintf(r->paths[r->count++], sizeof(r->paths[0]), "%s", path);
    return true;
}

/* Seeds and references; the working directory is the project's. */
static inline void rig_open_folder(struct grammar_rig *r, const char *problem)
{
    char path[300];
    struct elm_buf text = {0};
    snprintf(path, sizeof(path), "problems/%s", problem);
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        size_t len = strlen(e->d_name);
        bool program = (strncmp(e->d_name, "seed", 4) == 0 ||
                        strncmp(e->d_name, "reference", 9) == 0) &&
                       strcmp(e->d_name + len - 2, ".c") == 0;
        snprintf(path, sizeof(path), "problems/%.60s/%.200s", problem, e->d_name);
        elm_buf_clear(&text);
        if (program && elm_file_read(path, ELM_TEXT_BYTES_MAX, &text, NULL) == ELM_OK)
            rig_add(r, elm_buf_str(&text), path);
    }
    if (d != NULL)
        closedir(d);
    elm_buf_release(&text);
}

static inline void rig_open_all(struct grammar_rig *r)
{
    memset(r, 0, sizeof(*r));
    r->names = elm_names_new();
    DIR *d = opendir("problems");
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (e->d_name[0] != '.')
            rig_open_folder(r, e->d_name);
    }
    if (d != NULL)
        closedir(d);
}

static inline void rig_close_all(struct grammar_rig *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        elm_tree_release(&r->trees[i]);
    elm_names_free(r->names);
}

/* The bytes that a state admits; returns how many. */
static inline uint32_t rig_admitted(const struct elm_grammar *g, const struct elm_grammar_state *s,
                                    uint8_t out[256])
{
    uint32_t count = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        struct elm_grammar_state copy = *s;
        if (elm_grammar_step(g, &copy, (uint8_t)byte))
            out[count++] = (uint8_t)byte;
    }
    return count;
}

#endif
