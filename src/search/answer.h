/* answer: an answer cleaned and cut into lines. Private to src/search. */
#ifndef ELM_SEARCH_ANSWER_H
#define ELM_SEARCH_ANSWER_H

#include "elm/answer.h"

struct answer {
    struct elm_buf bytes;          /* without thoughts, \r and the model's closing tokens */
    struct elm_str *lines;
    uint32_t count;
};
/* Fails: ELM_PARSE. Then there is nothing to close. */
enum elm_status answer_open(struct elm_str text, struct answer *out, struct elm_error *err);
void answer_close(struct answer *a);

/* A line that opens or closes a fenced block. */
struct fence {
    char c;                        /* ` or ~ */
    uint32_t width, indent;
    struct elm_str info;           /* "c" */
};
bool fence_read(struct elm_str line, struct fence *out);
bool fence_closes(struct elm_str line, const struct fence *opened);

enum marker { MARKER_NONE, MARKER_START, MARKER_END };
enum marker marker_of(struct elm_str line);

bool code_blank(struct elm_str line);
/* The line without white space at its ends. */
struct elm_str code_trim(struct elm_str line);
/* White space at the line's begin. */
struct elm_str code_indent(struct elm_str line);
/* Are they equal but for white space? */
bool code_same(struct elm_str a, struct elm_str b);
/* Equal for code_same lines; *size: bytes that are no white space. */
uint64_t code_hash(struct elm_str line, uint32_t *size);
/* "\r\n" where the program's first line ends so, else "\n". */
struct elm_str code_newline(struct elm_str program);

#endif
