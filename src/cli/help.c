/* help: --help, docs/commands.md and completion, all from the two tables. */
#include "cli/command.h"
#include "cli/text.h"

#include <string.h>

#define WIDTH 79
#define COLUMN 26

static const char *const exits[][2] = {
    {"0", "done"},
    {"1", "failed: the message says why"},
    {"2", "the command line or the configuration is wrong"},
    {"3", "a budget was spent before --target was reached"},
    {"4", "no sandbox that contains candidates: see `elm doctor`"},
    {"128+n", "stopped by signal n, after a clean save"},
};

static const char configuration[] =
    "An option is taken from, in this order: the flag, the environment, --set KEY=VALUE, the file "
    "of --config, the default. The file is YAML, one `key: value` a line, where a key is the "
    "option's name without dashes; the variable of an option is ELM_ and its name in capitals, "
    "with _ for - (ELM_PROBLEMS_PATH). Unknown keys are errors. Numbers may be written 10000, 1e4 "
    "or 10k (k, M, G are powers of ten); flags in a file are yes or no.";

void help_overview(struct elm_buf *out)
{
    elm_buf_printf(out, "elm %s evolves programs: C code that gets better at a problem.\n\n"
                   "usage: elm COMMAND [options] [arguments]\n\n", ELM_VERSION);
    for (const struct command *c = command_table; c->name != NULL; c++)
        elm_buf_printf(out, "  %-12s%s\n", c->name, c->summary);
    elm_buf_printf(out, "\nbegin with\n"
                   "  elm run sort --minutes 1    watch a program get better\n"
                   "  elm problems                what else there is to solve\n"
                   "  elm new mine                a problem of your own\n"
                   "  elm doctor                  what this machine offers\n"
                   "\nexit status\n");
    for (size_t i = 0; i < ELM_COUNT(exits); i++)
        elm_buf_printf(out, "  %-12s%s\n", exits[i][0], exits[i][1]);
    elm_buf_printf(out, "\n`elm COMMAND --help` says more.\n");
}

/* "--workers N, -j" */
static void add_name(struct elm_buf *out, const struct option_info *o)
{
    elm_buf_printf(out, "--%s", o->name);
    if (o->metavar != NULL)
        elm_buf_printf(out, " %s", o->metavar);
    if (o->letter != 0)
        elm_buf_printf(out, ", -%c", o->letter);
}

static bool has_values(enum option_id id)
{
    uint8_t type = option_table[id].type;
    return type != OPTION_FLAG && type != OPTION_TEXT && type != OPTION_LIST;
}

static void add_option(struct elm_buf *out, enum option_id id)
{
    const struct option_info *o = &option_table[id];
    size_t start = out->len;
    elm_buf_printf(out, "  ");
    add_name(out, o);
    size_t used = out->len - start;
    if (used + 2 > COLUMN)
        elm_buf_printf(out, "\n%*s", COLUMN, "");
    else
        elm_buf_printf(out, "%*s", (int)(COLUMN - used), "");
    struct elm_buf text = {0};
    elm_buf_printf(&text, "%s", o->help);
    if (has_values(id)) {
        elm_buf_printf(&text, " [");
        option_allowed(id, &text);
        elm_buf_printf(&text, "]");
    }
    if (o->fallback != NULL)
        elm_buf_printf(&text, " (default: %s)", o->fallback);
    text_wrap(out, text.ptr, COLUMN, WIDTH);
    elm_buf_byte(out, '\n');
    elm_buf_release(&text);
}

static void add_indented(struct elm_buf *out, const char *lines)
{
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        elm_buf_printf(out, "  %.*s\n", (int)len, lines);
        lines += len + (lines[len] == '\n');
    }
}

void help_command(const struct command *c, struct elm_buf *out)
{
    elm_buf_printf(out, "elm %s: %s\n\nusage: elm %s %s%s[options]\n", c->name, c->summary, c->name,
                   c->arguments, c->arguments[0] != '\0' ? " " : "");
    if (c->about != NULL) {
        elm_buf_printf(out, "\n");
        text_wrap(out, c->about, 0, WIDTH);
        elm_buf_printf(out, "\n");
    }
    elm_buf_printf(out, "\noptions\n");
    bool keys = false;
    for (int id = 0; id < OPTIONS; id++) {
        if ((option_table[id].commands & c->bit) == 0)
            continue;
        keys |= id == OPT_CONFIG;
        add_option(out, (enum option_id)id);
    }
    if (keys) {
        elm_buf_printf(out, "\n");
        text_wrap(out, configuration, 0, WIDTH);
        elm_buf_printf(out, "\n");
    }
    elm_buf_printf(out, "\nexamples\n");
    add_indented(out, c->examples);
}

static void document_options(struct elm_buf *out)
{
    elm_buf_printf(out, "\n## Options\n\n%s\n\n"
                   "| option | variable | values | default | meaning | commands |\n"
                   "|---|---|---|---|---|---|\n", configuration);
    for (int id = 0; id < OPTIONS; id++) {
        const struct option_info *o = &option_table[id];
        char variable[64];
        option_environment((enum option_id)id, variable);
        elm_buf_printf(out, "| `");
        add_name(out, o);
        elm_buf_printf(out, "` | ");
        if (o->key || id == OPT_CONFIG)
            elm_buf_printf(out, "`%s`", variable);
        elm_buf_printf(out, " | ");
        option_allowed((enum option_id)id, out);
        elm_buf_printf(out, " | %s | %s |", o->fallback == NULL ? "" : o->fallback, o->help);
        const char *between = "";
        for (const struct command *c = command_table; c->name != NULL && id != OPT_HELP; c++) {
            if (o->commands & c->bit) {
                elm_buf_printf(out, "%s %s", between, c->name);
                between = ",";
            }
        }
        elm_buf_printf(out, "%s |\n", id == OPT_HELP ? " all" : "");
    }
}

void help_document(struct elm_buf *out)
{
    elm_buf_printf(out, "# Commands\n\nMade by `elm help --markdown` from the tables in "
                   "`src/cli/main.c` and `src/cli/options.c`; `make docs` writes it again.\n\n"
                   "| command | what it does |\n|---|---|\n");
    for (const struct command *c = command_table; c->name != NULL; c++)
        elm_buf_printf(out, "| [`elm %s`](#elm-%s) | %s |\n", c->name, c->name, c->summary);
    elm_buf_printf(out, "\nStandard output gets the result, standard error progress and "
                   "messages. `NO_COLOR` and `TERM=dumb` are respected.\n\n"
                   "| exit status | meaning |\n|---|---|\n");
    for (size_t i = 0; i < ELM_COUNT(exits); i++)
        elm_buf_printf(out, "| %s | %s |\n", exits[i][0], exits[i][1]);
    for (const struct command *c = command_table; c->name != NULL; c++) {
        elm_buf_printf(out, "\n## elm %s\n\n`elm %s%s%s`: %s.\n", c->name, c->name,
                       c->arguments[0] != '\0' ? " " : "", c->arguments, c->summary);
        if (c->about != NULL)
            elm_buf_printf(out, "\n%s\n", c->about);
        elm_buf_printf(out, "\n```\n%s```\n", c->examples);
    }
    document_options(out);
}

int cmd_help(const struct invocation *v)
{
    struct elm_buf text = {0};
    int exit_status = EXIT_DONE;
    if (v->arg_count == 0) {
        if (opt_on(v, OPT_MARKDOWN))
            help_document(&text);
        else
            help_overview(&text);
    } else {
        const struct command *c = cmd_find(v->args[0]);
        if (c != NULL) {
            help_command(c, &text);
        } else {
            struct elm_error err = {0};
            elm_fail(&err, ELM_USAGE, "there is no command '%.80s'; see `elm --help`", v->args[0]);
            exit_status = cmd_fail(&err);
        }
    }
    text_print(stdout, &text);
    elm_buf_release(&text);
    return exit_status;
}
