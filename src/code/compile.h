/* compile: what the parts of the compiler share. Private to src/code. */
#ifndef ELM_CODE_COMPILE_H
#define ELM_CODE_COMPILE_H

#include "code/vm.h"

#define LOCALS_MAX 512
#define FUNCTIONS_MAX 64
#define CODE_FIRST 256       /* instructions, constants that need no memory of their own */
#define CONSTANTS_FIRST 64
#define ANY UINT32_MAX       /* no slot wanted, no node */

struct local {
    uint32_t name, slot, declared_at;
    uint8_t type;
};

struct loop {
    uint32_t breaks[128], continues[128];
    uint32_t break_count, continue_count;
    struct loop *outer;
};

struct compiler {
    const struct elm_tree *t;
    const struct elm_io *io;
    const struct vm_options *options;
    struct vm_instruction *code;
    uint32_t count, cap;
    struct vm_function functions[FUNCTIONS_MAX];
    uint32_t function_at[FUNCTIONS_MAX];       /* node index */
    uint32_t function_count;
    union elm_value *constants;
    uint32_t constant_count, constant_cap, constant_base;
    struct vm_array *arrays;
    uint32_t array_count, array_cap;
    struct local locals[LOCALS_MAX];
    uint32_t local_count;
    uint64_t assigned[LOCALS_MAX / 64];        /* by slot: surely set here */
    uint32_t slots, temps, temps_max;          /* next local slot; temporaries in use */
    uint32_t local_slots;                      /* slots of the function's locals, all of them */
    uint32_t unpaid;                           /* steps of the block being emitted */
    struct loop *loop;
    uint8_t returns;
    bool too_large;
    struct vm_instruction first_code[CODE_FIRST];
    union elm_value first_constants[CONSTANTS_FIRST];
};

static inline const struct elm_node *node(const struct compiler *c, uint32_t at)
{
    return &c->t->nodes[at];
}

static inline uint32_t after(const struct compiler *c, uint32_t at)
{
    return at + c->t->nodes[at].size;
}

static inline bool is_double(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY;
}

/* ---- compile_emit.c ---- */
/* Appends an instruction; returns where. */
uint32_t vmc_emit(struct compiler *c, enum vm_op op, uint32_t a, uint32_t b, uint32_t d);
/* What is being emitted costs one more step. */
void vmc_step(struct compiler *c);
/* A place to jump to: the next instruction. */
uint32_t vmc_here(struct compiler *c);
void vmc_patch(struct compiler *c, uint32_t jump, uint32_t target);
/* A new temporary; `want` itself unless it is ANY. */
uint32_t vmc_temp(struct compiler *c);
uint32_t vmc_target(struct compiler *c, uint32_t want);
/* Is the local in `slot` surely set at this point? */
bool vmc_is_set(const struct compiler *c, uint32_t slot);
void vmc_mark_set(struct compiler *c, uint32_t slot, bool set);
const struct local *vmc_find(const struct compiler *c, uint32_t name);
/* The slot of a constant that vmc_survey has found. */
uint32_t vmc_constant(struct compiler *c, union elm_value value);
uint32_t vmc_int_constant(struct compiler *c, int64_t value);
/* Collects all constants that the function at `at` may want; returns how many slots its parameters
 * and locals take. */
uint32_t vmc_survey(struct compiler *c, uint32_t at);

/* ---- compile_expression.c ---- */
/* The slot of the value: `want`, or any when that is ANY. */
uint32_t vmc_expression(struct compiler *c, uint32_t at, uint32_t want);
/* The same, as a value of `type`. */
uint32_t vmc_typed(struct compiler *c, uint32_t at, uint8_t type, uint32_t want);
/* Emits jumps that are taken when the truth of `at` equals `when`; falls through otherwise. */
void vmc_condition(struct compiler *c, uint32_t at, bool when, uint32_t *jumps, uint32_t *count,
                   uint32_t max);

#endif
