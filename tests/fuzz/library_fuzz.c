/* a library of any bytes: refused with a message, or programs and numbers; and of any programs: what
 * `recall` makes of them passes the checks. The first byte says which. Programs end with a zero byte. */
#include "elm/library.h"
#include "elm/operator.h"
#include "elm/problem.h"
#include "fuzz.h"
#include "memory_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHILDREN 8

static void read_it(const void *bytes, size_t size)
{
    struct memory_file f = memory_file_open(bytes, size);
    struct elm_library *l = NULL;
    struct elm_error err = {0};
    if (elm_library_read(f.path, &l, &err) == ELM_OK) {
        ELM_ASSERT(elm_library_count(l) > 0);
        for (uint32_t i = 0; i < elm_library_count(l); i++)
            ELM_ASSERT(isfinite(elm_library_weights(l)[i]) &&
                       elm_library_find(l, elm_library_text(l, i)) == i);
        elm_library_free(l);
    } else {
        ELM_ASSERT(err.message[0] != '\0' && l == NULL);
    }
    memory_file_close(&f);
}

static void recall_from(const char *path, struct elm_problem *p, uint64_t seed)
{
    static uint8_t editable[ELM_NODES_MAX / 8 + 1];
    const struct elm_operator_kind *op = elm_operator_find("recall");
    uint32_t count = elm_tree_editable(&p->seed, p->names, editable);
    struct elm_parent parent = {.id = 1, .tree = &p->seed, .editable = editable,
                                .editable_count = count};
    struct elm_parents parents = {&parent, 1};
    struct elm_arena arena = {0};
    struct elm_operator_context context = {.problem = p, .arena = &arena, .model = path};
    void *self = op->make(p);
    for (uint32_t k = 0; k < CHILDREN; k++) {
        struct elm_edit edits[ELM_EDITS_MAX];
        uint32_t edit_count = 0;
        struct elm_rng rng = elm_rng(seed, k);
        struct elm_tree child;
        elm_arena_clear(&arena);
        enum elm_status status = op->mutate(self, &context, &parents, &rng, edits, &edit_count, NULL);
        ELM_ASSERT(status == ELM_OK || status == ELM_NOT_FOUND);
        if (status != ELM_OK)
            continue;
        ELM_ASSERT(elm_tree_edit(&p->seed, edits, edit_count, &child, NULL) == ELM_OK);
        ELM_ASSERT(elm_tree_check(&child, p->names, NULL) == ELM_OK);
        elm_tree_release(&child);
    }
    op->free(self);
    elm_arena_release(&arena);
}

static void recall_it(const uint8_t *data, size_t size)
{
    char folder[] = "/tmp/elm-library-fuzz-XXXXXX", path[64];
    struct elm_library *l = elm_library_new();
    struct elm_problem *p;
    for (size_t from = 0; from < size;) {
        const uint8_t *end = memchr(data + from, 0, size - from);
        size_t len = end != NULL ? (size_t)(end - data) - from : size - from;
        elm_library_add(l, (struct elm_str){(const char *)data + from, len});
        from += len + 1;
    }
    ELM_ASSERT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/library.gguf", folder);
    ELM_ASSERT(elm_problem_load("parity:5", "problems", &p, NULL) == ELM_OK);
    if (elm_library_write(l, path, NULL) == ELM_OK)
        recall_from(path, p, elm_hash(data, size, 0));
    elm_problem_free(p);
    elm_library_free(l);
    unlink(path);
    rmdir(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] % 2 == 0)
        read_it(data + 1, size - 1);
    else if (size > 0)
        recall_it(data + 1, size - 1);
    return 0;
}
