/* parse: the words of a command line, the environment, --set and the file, in one invocation. */
#include "cli/command.h"
#include "cli/text.h"

#include <stdlib.h>
#include <string.h>

static bool allowed_here(const struct invocation *v, int id)
{
    return (option_table[id].commands & v->command->bit) != 0;
}

static enum elm_status unknown_option(const struct invocation *v, const char *name, size_t len,
                                      struct elm_error *err)
{
    char word[80];
    snprintf(word, sizeof(word), "%.*s", (int)len, name);
    const char *names[OPTIONS + 1];
    size_t count = 0;
    for (int id = 0; id < OPTIONS; id++) {
        if (strcmp(option_table[id].name, word) == 0) {
            for (size_t c = 0; command_table[c].name != NULL; c++) {
                if (option_table[id].commands & command_table[c].bit) {
                    return elm_fail(err, ELM_USAGE, "--%s is no option of `elm %s`, but of "
                                    "`elm %s`", word, v->command->name, command_table[c].name);
                }
            }
        }
        if (allowed_here(v, id))
            names[count++] = option_table[id].name;
    }
    names[count] = NULL;
    const char *near = text_nearest(word, names);
    return elm_fail(err, ELM_USAGE, "there is no option --%s%s%s%s", word,
                    near != NULL ? "; did you mean --" : "", near != NULL ? near : "",
                    near != NULL ? "?" : "");
}

static int find_long(const struct invocation *v, const char *name, size_t len)
{
    for (int id = 0; id < OPTIONS; id++) {
        const char *known = option_table[id].name;
        if (strlen(known) == len && memcmp(known, name, len) == 0 && allowed_here(v, id))
            return id;
    }
    return -1;
}

static int find_letter(const struct invocation *v, char letter)
{
    for (int id = 0; id < OPTIONS; id++) {
        if (option_table[id].letter == letter && letter != 0 && allowed_here(v, id))
            return id;
    }
    return -1;
}

static enum elm_status set_pair(struct invocation *v, const char *pair, struct elm_error *err)
{
    const char *equals = strchr(pair, '=');
    if (equals == NULL)
        return elm_fail(err, ELM_USAGE, "--set '%.80s': it takes key=value", pair);
    char key[80], where[96];
    snprintf(key, sizeof(key), "%.*s", (int)(equals - pair), pair);
    snprintf(where, sizeof(where), "--set %s", key);
    enum option_id id;
    ELM_TRY(option_find_key(key, "--set", &id, err));
    return option_assign(v, id, equals + 1, FROM_SET, where, err);
}

/* One option that starts at argv[*at]; moves *at to its last word. */
static enum elm_status parse_option(struct invocation *v, char **argv, int argc, int *at,
                                    struct elm_error *err)
{
    const char *word = argv[*at];
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t len = is_long ? strcspn(name, "=") : 1;
    int id = is_long ? find_long(v, name, len) : find_letter(v, name[0]);
    if (id < 0 && is_long)
        return unknown_option(v, name, len, err);
    if (id < 0)
        return elm_fail(err, ELM_USAGE, "there is no option '-%.8s'", name);
    char where[80];
    snprintf(where, sizeof(where), "--%s", option_table[id].name);
    const char *value = name[len] == '\0' ? NULL : name + len + is_long;
    if (value == NULL && option_table[id].type == OPTION_FLAG)
        value = "yes";
    if (value == NULL) {
        if (*at + 1 >= argc) {
            struct elm_buf allowed = {0};
            option_allowed((enum option_id)id, &allowed);
            enum elm_status status = elm_fail(err, ELM_USAGE, "%s: a value is missing; it takes %s",
                                              where, allowed.ptr);
            elm_buf_release(&allowed);
            return status;
        }
        value = argv[++*at];
    }
    if (id == OPT_SET)
        return set_pair(v, value, err);
    return option_assign(v, (enum option_id)id, value, FROM_FLAG, where, err);
}

static enum elm_status read_environment(struct invocation *v, struct elm_error *err)
{
    for (int id = 0; id < OPTIONS; id++) {
        char name[64];
        option_environment((enum option_id)id, name);
        const char *value = getenv(name);
        bool known = option_table[id].key || id == OPT_CONFIG;
        if (known && allowed_here(v, id) && value != NULL && value[0] != '\0')
            ELM_TRY(option_assign(v, (enum option_id)id, value, FROM_ENVIRONMENT, name, err));
    }
    return ELM_OK;
}

static enum elm_status check_args(const struct invocation *v, struct elm_error *err)
{
    const struct command *c = v->command;
    if (v->arg_count < c->args_min)
        return elm_fail(err, ELM_USAGE, "something is missing: elm %s %s", c->name, c->arguments);
    if (v->arg_count > c->args_max) {
        return elm_fail(err, ELM_USAGE, "'%.80s' is too much: elm %s %s", v->args[c->args_max],
                        c->name, c->arguments);
    }
    return ELM_OK;
}

enum elm_status options_parse(struct invocation *v, int argc, char **argv, struct elm_error *err)
{
    v->args = elm_arena_alloc(&v->arena, ((size_t)argc + 1) * sizeof(char *));
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        else if (!ended && argv[i][0] == '-' && argv[i][1] != '\0')
            ELM_TRY(parse_option(v, argv, argc, &i, err));
        else
            v->args[v->arg_count++] = argv[i];
    }
    v->args[v->arg_count] = NULL;
    if (opt_on(v, OPT_HELP))
        return ELM_OK;
    ELM_TRY(read_environment(v, err));
    if (opt_given(v, OPT_CONFIG))
        ELM_TRY(config_read(v, opt_text(v, OPT_CONFIG), err));
    return check_args(v, err);
}

void invocation_release(struct invocation *v)
{
    elm_arena_release(&v->arena);
}
