/*
 * a span written byte by byte from what its grammar admits, in a program of problems/ or a generated
 * one: there is always a next byte, and the child parses, checks, and prints as it was read.
 * Input: which program, node, siblings, size, and where to leave the old text; then a choice a byte.
 */
#include "fuzz.h"
#include "generate.h"
#include "../grammar_rig.h"

#define SPAN_MAX 6000

static struct grammar_rig rig;

static void open_programs(void)
{
    struct elm_buf text = {0};
    struct elm_io io;
    rig_open_all(&rig);
    for (uint64_t seed = 0; seed < 24; seed++) {
        elm_buf_clear(&text);
        generate_program(seed, 0, &text, &io);
        rig_add(&rig, elm_buf_str(&text), "generated");
    }
    elm_buf_release(&text);
}

static void write_span(const struct elm_grammar *g, const uint8_t *data, size_t size,
                       struct elm_buf *out)
{
    struct elm_grammar_state s;
    struct elm_rng rng = elm_rng(elm_hash(data, size, 0), 3);
    uint8_t bytes[256];
    elm_grammar_start(g, &s);
    for (size_t i = 0; !elm_grammar_ended(g, &s); i++) {
        uint32_t count = rig_admitted(g, &s, bytes);
        ELM_ASSERT(count > 0 && out->len < SPAN_MAX);
        uint32_t pick = i < size ? data[i] % count : elm_rng_below(&rng, count);
        ELM_ASSERT(elm_grammar_step(g, &s, bytes[pick]));
        elm_buf_byte(out, bytes[pick]);
    }
}

static void put_span(const struct elm_tree *t, uint32_t at, uint16_t siblings,
                     const struct elm_grammar *g, struct elm_str span)
{
    struct elm_arena arena = {0};
    const struct elm_node *nodes;
    struct elm_buf text = {0};
    struct elm_tree child, again;
    uint32_t count, kids;
    ELM_ASSERT(elm_grammar_nodes(g, rig.names, span, &arena, &nodes, &count, &kids, NULL) ==
               ELM_OK);
    struct elm_edit e = elm_edit_replace(t, at, nodes, count);
    e.removed = siblings;
    e.put_kids = (uint16_t)kids;
    ELM_ASSERT(elm_tree_edit(t, &e, 1, &child, NULL) == ELM_OK);
    enum elm_status status = elm_tree_check(&child, rig.names, NULL);
    ELM_ASSERT(status == ELM_OK || status == ELM_OUTSIDE);
    elm_tree_print(&child, rig.names, &text);
    ELM_ASSERT(elm_tree_parse(elm_buf_str(&text), rig.names, &again, NULL) == ELM_OK);
    ELM_ASSERT(elm_tree_check(&again, rig.names, NULL) == status);
    ELM_ASSERT(elm_tree_text_hash(&again) == elm_tree_text_hash(&child));
    elm_tree_release(&again);
    elm_tree_release(&child);
    elm_buf_release(&text);
    elm_arena_release(&arena);
}

/* Could the old text be written again? */
static bool stays(const struct elm_tree *t, uint32_t at, uint16_t siblings,
                  const struct elm_grammar *g)
{
    struct elm_buf text = {0};
    struct elm_grammar_state s;
    size_t from, to, i;
    bool reads = true;
    elm_tree_print_spot(t, rig.names, at, siblings, &text, &from, &to);
    while (from > 0 && (text.ptr[from - 1] == ' ' || text.ptr[from - 1] == '\n'))
        from--;
    elm_grammar_start(g, &s);
    for (i = from; reads && i < text.len && !elm_grammar_ended(g, &s); i++)
        reads = elm_grammar_step(g, &s, (uint8_t)text.ptr[i]);
    elm_buf_release(&text);
    return reads && elm_grammar_ended(g, &s) && i > to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 6)
        return 0;
    if (rig.names == NULL)
        open_programs();
    const struct elm_tree *t = &rig.trees[data[0] % rig.count];
    uint32_t at = (uint32_t)(data[1] | data[2] << 8) % t->count;
    uint16_t siblings = (uint16_t)(1 + data[3] % 3);
    struct elm_grammar *g;
    struct elm_buf span = {0};
    if (elm_grammar_new(t, rig.names, at, siblings, data[4] % 64, &g, NULL) != ELM_OK)
        return 0;
    if (data[5] % 2 == 1 && elm_grammar_leave(g, data[5] / 2))
        ELM_ASSERT(!stays(t, at, siblings, g));
    write_span(g, data + 6, size - 6, &span);
    put_span(t, at, siblings, g, elm_buf_str(&span));
    elm_grammar_free(g);
    elm_buf_release(&span);
    return 0;
}
