/* folder: where problem folders are, and their files. Private to src/problem. */
#ifndef ELM_PROBLEM_FOLDER_H
#define ELM_PROBLEM_FOLDER_H

#include "elm/problem.h"

/* A problem that says nothing: limits, counts and budget by default, no text. */
struct elm_problem problem_defaults(void);

/* A problem asked for: its folder, absolute, and the variant, "" if none. free() both. */
struct folder {
    char *path, *variant;
};
/* Fails: ELM_NOT_FOUND (with the nearest names), ELM_USAGE (no name for a problem). */
enum elm_status folder_find(const char *name, const char *problems_path, struct folder *out,
                            struct elm_error *err);

/* Letters, digits, `-`, `_` and dots inside, at most 63 bytes. */
bool folder_name_ok(const char *name);
/* The last part of an absolute path; borrowed. */
const char *folder_name(const char *path);
/* "folder/file", to be freed. */
char *folder_file(const char *folder, const char *file);
bool folder_has(const char *folder, const char *file);
/* elm_file_read of a regular file: a pipe or device is refused, not waited for. */
enum elm_status folder_read(const char *path, size_t max_bytes, struct elm_buf *out,
                            struct elm_error *err);

#endif
