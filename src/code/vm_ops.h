/*
 * vm_ops: what each instruction does; the inside of run() in vm.c, which includes this once. pc, r,
 * arrays and fuel are its locals.
 */
#define NEXT            \
    do {                \
        pc++;           \
        goto *labels[pc->op]; \
    } while (0)
#define STOP(how)      \
    do {               \
        end = (how);   \
        goto stopped;  \
    } while (0)
#define PAY(price)                  \
    fuel -= (int64_t)(price);       \
    if (fuel < 0) {                 \
        fuel += (int64_t)(price);   \
        STOP(ELM_VM_FUEL);          \
    }
#define INT_OP(name, expression)                             \
    op_##name:                                               \
        x = r[pc->b].i;                                      \
        y = r[pc->c].i;                                      \
        r[pc->a].i = (int32_t)(uint32_t)(expression);        \
        NEXT;
#define REAL_OP(name, operator)                              \
    op_##name:                                               \
        r[pc->a].d = r[pc->b].d operator r[pc->c].d;         \
        NEXT;
#define COMPARE(name, member, operator)                      \
    op_##name:                                               \
        r[pc->a].i = r[pc->b].member operator r[pc->c].member; \
        NEXT;
#define BRANCH(name, condition)                              \
    op_##name:                                               \
        PAY(pc->steps)                                       \
        if (condition) {                                     \
            pc += (int16_t)pc->c;                            \
            goto *labels[pc->op];                            \
        }                                                    \
        NEXT;
#define FAR_BRANCH(name, condition)                          \
    op_##name:                                               \
        PAY(pc->steps)                                       \
        if (condition) {                                     \
            pc += VM_FAR(pc->b, pc->c);                      \
            goto *labels[pc->op];                            \
        }                                                    \
        NEXT;

op_STEP:
    PAY(pc->a | (uint32_t)pc->b << 16)
    NEXT;
op_MOVE:
    r[pc->a] = r[pc->b];
    NEXT;
op_CLEAR:
    r[pc->a].i = VM_POISON;
    NEXT;
op_CHECK:
    if (r[pc->a].i == VM_POISON)
        STOP(ELM_VM_UNSET);
    NEXT;
op_ARRAY: {
    const struct vm_array *a = (const struct vm_array *)section(code, code->arrays) + pc->b;
    PAY(a->length / 4)
    r[pc->a] = make_array(m, a, m->array_base);
    NEXT;
}
op_LOAD:
    e = element(arrays, r[pc->b], r[pc->c].i);
    if (e == NULL)
        STOP(ELM_VM_INDEX);
    if (e->i == VM_POISON)
        STOP(ELM_VM_UNSET);
    r[pc->a] = *e;
    NEXT;
op_STORE:
    e = element(arrays, r[pc->b], r[pc->c].i);
    if (e == NULL)
        STOP(ELM_VM_INDEX);
    *e = r[pc->a];
    NEXT;
op_LOAD2:
    e = element2(arrays, r[pc->b], r[pc->c].i, r[pc->c + 1].i);
    if (e == NULL)
        STOP(ELM_VM_INDEX);
    if (e->i == VM_POISON)
        STOP(ELM_VM_UNSET);
    r[pc->a] = *e;
    NEXT;
op_STORE2:
    e = element2(arrays, r[pc->b], r[pc->c].i, r[pc->c + 1].i);
    if (e == NULL)
        STOP(ELM_VM_INDEX);
    *e = r[pc->a];
    NEXT;
    INT_OP(ADD_I, x + y)
    INT_OP(SUB_I, x - y)
    INT_OP(MUL_I, (uint64_t)x * (uint64_t)y)
    INT_OP(AND_I, x & y)
    INT_OP(OR_I, x | y)
    INT_OP(XOR_I, x ^ y)
op_DIV_I:
    x = r[pc->b].i;
    y = r[pc->c].i;
    if (y == 0 || (y == -1 && x == INT32_MIN))
        STOP(ELM_VM_DIVIDE);
    r[pc->a].i = (int32_t)x / (int32_t)y;
    NEXT;
op_MOD_I:
    x = r[pc->b].i;
    y = r[pc->c].i;
    if (y == 0 || (y == -1 && x == INT32_MIN))
        STOP(ELM_VM_DIVIDE);
    r[pc->a].i = (int32_t)x % (int32_t)y;
    NEXT;
op_SHL_I:
    y = r[pc->c].i;
    if ((uint64_t)y > 31)
        STOP(ELM_VM_SHIFT);
    r[pc->a].i = (int32_t)((uint32_t)r[pc->b].i << y);
    NEXT;
op_SHR_I:
    y = r[pc->c].i;
    if ((uint64_t)y > 31)
        STOP(ELM_VM_SHIFT);
    r[pc->a].i = r[pc->b].i >> y;
    NEXT;
op_NEG_I:
    r[pc->a].i = (int32_t)(0u - (uint32_t)r[pc->b].i);
    NEXT;
op_NOT_I:
    r[pc->a].i = ~r[pc->b].i;
    NEXT;
op_ABS_I:
    x = r[pc->b].i;
    r[pc->a].i = x < 0 ? (int32_t)(0u - (uint32_t)x) : x;
    NEXT;
    COMPARE(EQ_I, i, ==)
    COMPARE(NE_I, i, !=)
    COMPARE(LT_I, i, <)
    COMPARE(LE_I, i, <=)
    REAL_OP(ADD_D, +)
    REAL_OP(SUB_D, -)
    REAL_OP(MUL_D, *)
    REAL_OP(DIV_D, /)
op_NEG_D:
    r[pc->a].d = -r[pc->b].d;
    NEXT;
    COMPARE(EQ_D, d, ==)
    COMPARE(NE_D, d, !=)
    COMPARE(LT_D, d, <)
    COMPARE(LE_D, d, <=)
op_ZERO_I:
    r[pc->a].i = r[pc->b].i == 0;
    NEXT;
op_ZERO_D:
    r[pc->a].i = r[pc->b].d == 0;
    NEXT;
op_TO_D:
    r[pc->a].d = (double)r[pc->b].i;
    NEXT;
op_TO_I:
    /* written so that NaN fails too */
    if (!(r[pc->b].d > -2147483649.0 && r[pc->b].d < 2147483648.0))
        STOP(ELM_VM_CONVERT);
    r[pc->a].i = (int32_t)r[pc->b].d;
    NEXT;
op_MATH1:
    r[pc->a].d = math1(pc->c, r[pc->b].d);
    NEXT;
op_MATH2:
    r[pc->a].d = of_two[pc->c](r[pc->b].d, r[pc->b + 1].d);
    NEXT;
op_JUMP:
    PAY(pc->steps)
    pc += VM_FAR(pc->a, pc->b);
    goto *labels[pc->op];
    FAR_BRANCH(JZ_I, r[pc->a].i == 0)
    FAR_BRANCH(JNZ_I, r[pc->a].i != 0)
    FAR_BRANCH(JZ_D, r[pc->a].d == 0)
    FAR_BRANCH(JNZ_D, r[pc->a].d != 0)
    BRANCH(JEQ_I, r[pc->a].i == r[pc->b].i)
    BRANCH(JNE_I, r[pc->a].i != r[pc->b].i)
    BRANCH(JLT_I, r[pc->a].i < r[pc->b].i)
    BRANCH(JLE_I, r[pc->a].i <= r[pc->b].i)
    BRANCH(JLT_D, r[pc->a].d < r[pc->b].d)
    BRANCH(JLE_D, r[pc->a].d <= r[pc->b].d)
    BRANCH(JNLT_D, !(r[pc->a].d < r[pc->b].d))
    BRANCH(JNLE_D, !(r[pc->a].d <= r[pc->b].d))
op_CALL: {
    const struct vm_function *g =
        (const struct vm_function *)section(code, code->functions) + pc->b;
    PAY(pc->steps)
    if (m->depth == VM_CALLS_MAX)
        STOP(ELM_VM_STACK);
    m->calls[m->depth++] = (struct vm_call){pc, m->function, r, m->array_base};
    r += pc->c;
    if (!enter(m, code, g, r, m->array_base + m->function->array_slots))
        STOP(ELM_VM_STACK);
    pc = (const struct vm_instruction *)section(code, code->instructions) + g->first;
    goto *labels[pc->op];
}
op_RETURN:
    PAY(pc->steps)
    *result = r[pc->a];
    goto leave;
op_LEAVE:
    PAY(pc->steps)
    result->i = 0;
leave: {
    if (m->depth == 0)
        goto stopped;
    const struct vm_call *call = &m->calls[--m->depth];
    m->function = call->function;
    m->array_base = call->array_base;
    r = call->frame;
    pc = call->at;
    r[pc->a] = *result;
    NEXT;
}
op_TRACE:
    note_trace(m->watch, pc->b | (uint32_t)pc->c << 16, r[pc->a]);
    NEXT;
op_SNAP:
    note_snapshot(m->watch, r);
    NEXT;

#undef NEXT
#undef STOP
#undef PAY
#undef INT_OP
#undef REAL_OP
#undef COMPARE
#undef BRANCH
#undef FAR_BRANCH
