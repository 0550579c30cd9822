/* changes_embed: the released change model, where there was one when elm was built. */
    .section .rodata
    .globl elm_changes_bytes
    .hidden elm_changes_bytes
    .globl elm_changes_bytes_end
    .hidden elm_changes_bytes_end
    .balign 64
elm_changes_bytes:
#ifdef ELM_TAUGHT
    .incbin "models/elm-taught.gguf"
#endif
elm_changes_bytes_end:
    .byte 0

    .section .note.GNU-stack, "", @progbits
