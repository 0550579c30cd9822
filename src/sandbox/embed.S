/* embed: the caged helper as a program, and the texts that a judge is compiled with. */
    .section .rodata
    .macro embed name, file
    .globl \name
    .hidden \name
    .globl \name\()_end
    .hidden \name\()_end
    .balign 16
\name:
    .incbin "\file"
\name\()_end:
    .byte 0
    .endm

    embed elm_embed_cage, "build/elm-cage"
    embed elm_embed_judge_h, "include/elm/judge.h"
    embed elm_embed_wire_h, "src/sandbox/wire.h"
    embed elm_embed_judge_main, "src/sandbox/judge_main.c"
    embed elm_embed_judge_formula, "src/sandbox/judge_formula.h"
    embed elm_embed_judge_reference, "src/sandbox/judge_reference.h"

    .section .note.GNU-stack, "", @progbits
