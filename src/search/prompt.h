/* prompt: the built-in prompt files. Private to src/search and what tools/prompts writes. */
#ifndef ELM_SEARCH_PROMPT_H
#define ELM_SEARCH_PROMPT_H

struct prompt_file {
    const char *name, *text;
};
/* By name; ends with a row without a name. */
extern const struct prompt_file prompt_files[];

#endif
