/* unicode: classes of code points, as pre-tokenizers need them. */
#ifndef ELM_MODEL_UNICODE_H
#define ELM_MODEL_UNICODE_H

#include "elm/base.h"

enum unicode_class {
    UNICODE_OTHER, UNICODE_LETTER, UNICODE_NUMBER, UNICODE_SPACE, UNICODE_PUNCTUATION,
};
/* Stretches of one class, by code point: code point << 3 | class. */
extern const uint32_t unicode_starts[];
extern const uint32_t unicode_start_count;

enum unicode_class unicode_class(uint32_t point);
/* Bytes of the character that `text` (not empty) starts with, and its class. A byte that is not
 * UTF-8 is a character of its own, of class OTHER. */
size_t unicode_next(struct elm_str text, enum unicode_class *out);

#endif
