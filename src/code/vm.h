/*
 * vm: the instruction set and the layout of a code block. Private to src/code. vm.c is also part
 * of the caged runner, so it needs nothing of the compiler.
 */
#ifndef ELM_CODE_VM_H
#define ELM_CODE_VM_H

#include "elm/code.h"

/* name(operands). r[] are the slots of the frame. */
#define VM_OPS(X)                                                                             \
    X(STEP)   /* fuel -= a | b << 16; stops when it can't */                                  \
    X(MOVE)   /* r[a] = r[b] */                                                               \
    X(CLEAR)  /* r[a] = unset */                                                              \
    X(CHECK)  /* stops when r[a] is unset */                                                  \
    X(ARRAY)  /* r[a] = array at frame offset of function table b; fills with poison or 0 */  \
    X(LOAD)   /* r[a] = r[b][r[c]] */                                                         \
    X(STORE)  /* r[b][r[c]] = r[a] */                                                         \
    X(LOAD2)  /* r[a] = r[b][r[c]][r[c + 1]] */                                               \
    X(STORE2)                                                                                 \
    X(ADD_I) X(SUB_I) X(MUL_I) X(DIV_I) X(MOD_I) X(AND_I) X(OR_I) X(XOR_I) X(SHL_I) X(SHR_I)  \
    X(NEG_I) X(NOT_I) X(ABS_I)                                                                \
    X(EQ_I) X(NE_I) X(LT_I) X(LE_I)                                                           \
    X(ADD_D) X(SUB_D) X(MUL_D) X(DIV_D) X(NEG_D)                                              \
    X(EQ_D) X(NE_D) X(LT_D) X(LE_D)                                                           \
    X(ZERO_I) /* r[a] = r[b] == 0 */                                                          \
    X(ZERO_D)                                                                                 \
    X(TO_D) X(TO_I)                                                                           \
    X(MATH1)  /* r[a] = function c of r[b] */                                                 \
    X(MATH2)  /* r[a] = function c of r[b], r[b + 1] */                                       \
    X(JUMP)   /* by VM_FAR(a, b) instructions */                                              \
    X(JZ_I)   /* by VM_FAR(b, c) when r[a] == 0 */                                            \
    X(JNZ_I)                                                                                  \
    X(JZ_D) X(JNZ_D)                                                                          \
    X(JEQ_I)  /* by (int16_t)c when r[a] == r[b] */                                           \
    X(JNE_I) X(JLT_I) X(JLE_I)                                                                \
    X(JLT_D) X(JLE_D) X(JNLT_D) X(JNLE_D)                                                     \
    X(CALL)   /* r[a] = function b with its frame at slot c */                                \
    X(RETURN) /* r[a] */                                                                      \
    X(LEAVE)  /* return without a value */                                                    \
    X(TRACE)  /* value of node b | c << 16 is r[a] */                                         \
    X(SNAP)   /* the watched node is about to be evaluated */

enum vm_op {
#define X(name) VM_##name,
    VM_OPS(X)
#undef X
    VM_OP_COUNT,
};

struct vm_instruction {
    uint8_t op;
    uint8_t steps;           /* JUMP .. LEAVE: paid before anything else */
    uint16_t a, b, c;
};

/* A distance in two operands. */
#define VM_FAR(low, high) ((int32_t)((low) | (uint32_t)(high) << 16))

struct vm_function {
    uint32_t first;          /* instruction */
    uint32_t frame;          /* slots */
    uint32_t constant_slot, constant_first, constant_count;
    uint32_t array_slots;    /* of all its local arrays */
    uint32_t array_first, array_count;       /* in the array table */
};

struct vm_array {
    uint32_t offset, length;     /* slots, from the frame's array base */
    uint16_t cols;               /* 0: one dimension */
    uint8_t zero;                /* 1: starts as zeros (it has an initialiser) */
    uint8_t spare;
};

struct vm_param {
    uint32_t in_offset, out_offset;
    uint32_t length;             /* 0: a scalar */
    uint16_t cols;
    uint8_t type;
    uint8_t direction;
};

#define VM_MAGIC 0x314d4c45u
struct vm_code {
    uint32_t magic, bytes;
    uint32_t in_bytes, out_bytes;
    uint32_t entry, returns, param_count;
    uint32_t gives_arrays;       /* 1: some parameter is an output */
    uint32_t state_slots;        /* elements of the STATE arrays */
    uint32_t instruction_count, function_count, constant_count, array_count;
    /* offsets from the start of the block, multiples of 8 */
    uint32_t instructions, functions, constants, arrays, params;
};

/* Where an array lies: a value that a slot can hold. */
struct vm_descriptor {
    uint64_t base : 24, cols : 16, length : 24;
};

/* Never an int's slot nor the result of double arithmetic: a signalling NaN. */
#define VM_POISON INT64_C(0x7ff4deadbeef0001)

#define VM_SLOTS (64 * 1024)
#define VM_ARRAY_SLOTS (640 * 1024)
#define VM_CALLS_MAX 256

/* A caller, waiting. */
struct vm_call {
    const struct vm_instruction *at;     /* its CALL */
    const struct vm_function *function;
    union elm_value *frame;
    uint32_t array_base;
};

struct vm_watch {
    /* trace: [node * case_count + case] */
    union elm_value *values;
    uint16_t *visits;
    /* snapshot: slots to copy, and where: [symbol * case_count + case] */
    const uint16_t *slots;
    uint32_t slot_count;
    union elm_value *snapshot;
    uint8_t *set;
    uint32_t case_count, at_case;
};

struct elm_vm_memory {
    union elm_value slots[VM_SLOTS];
    struct vm_call calls[VM_CALLS_MAX];
    uint32_t depth;                      /* of calls */
    uint32_t array_base;                 /* of the running function */
    const struct vm_function *function;  /* the running one */
    struct vm_watch *watch;
    union elm_value *arrays;         /* [VM_ARRAY_SLOTS], touched only as far as used; then */
    uint32_t state_slots;            /* [state_slots] */
};

/* compile.c, with what trace.c asks for. snap_at: node before which SNAP is put, UINT32_MAX: none;
 * snap_slots receives the slots of `symbols` there (UINT16_MAX: not a scalar). */
struct vm_options {
    bool trace;
    uint32_t snap_at;
    const struct elm_symbol *symbols;
    uint32_t symbol_count;
    uint16_t *snap_slots;
};
enum elm_status vm_compile(const struct elm_tree *t, const struct elm_names *names,
                           const struct elm_io *io, const struct vm_options *options,
                           struct elm_buf *code, struct elm_error *err);

#endif
