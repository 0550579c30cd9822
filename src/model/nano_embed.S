/* nano_embed: the released tree-edit model, where there was one when elm was built. */
    .section .rodata
    .globl elm_nano_bytes
    .hidden elm_nano_bytes
    .globl elm_nano_bytes_end
    .hidden elm_nano_bytes_end
    .balign 64
elm_nano_bytes:
#ifdef ELM_NANO
    .incbin "models/elm-nano.gguf"
#endif
elm_nano_bytes_end:
    .byte 0

    .section .note.GNU-stack, "", @progbits
