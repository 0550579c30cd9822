/* options: the table, and the checking of single values. */
#include "cli/options.h"

#include "cli/text.h"
#include "elm/archive.h"
#include "elm/operator.h"
#include "elm/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MAX 9007199254740991.0    /* exact in JSON and in a double */

static const char *operator_word(size_t i)
{
    return elm_operator_kinds[i] == NULL ? NULL : elm_operator_kinds[i]->name;
}

static const char *archive_word(size_t i)
{
    return elm_archive_kinds[i] == NULL ? NULL : elm_archive_kinds[i]->name;
}

static const char *selector_word(size_t i)
{
    return elm_selector_kinds[i] == NULL ? NULL : elm_selector_kinds[i]->name;
}

/* llama is always a word: where it is not built in, the answer is how to get it. */
static const char *backend_word(size_t i)
{
    bool left_out = elm_backend_find("llama") == NULL;
    if (left_out && i == 0)
        return "llama";
    i -= left_out;
    return elm_backend_kinds[i] == NULL ? NULL : elm_backend_kinds[i]->name;
}

static const char *trainer_word(size_t i)
{
    return elm_trainer_kinds[i] == NULL ? NULL : elm_trainer_kinds[i]->name;
}

static const char *schedule_word(size_t i)
{
    static const char *const words[] = {"cosine", "linear", "constant", NULL};
    return words[i];
}

static const char *new_problems_word(size_t i)
{
    static const char *const words[] = {"mutated", "generated", "mastered", "none", NULL};
    return words[i];
}

static const char *format_word(size_t i)
{
    static const char *const words[] = {"attempts", "trl-sft", "trl-dpo", "trl-kto", "trl-grpo",
                                        NULL};
    return words[i];
}

static const char *keep_word(size_t i)
{
    static const char *const words[] = {"all", "good", "stats", NULL};
    return words[i];
}

static const char *stream_word(size_t i)
{
    static const char *const words[] = {"train", "gate", "report", NULL};
    return words[i];
}

static const char *family_word(size_t i)
{
    static const char *const words[] = {"functions", "boolean", NULL};
    return words[i];
}

static const char *progress_word(size_t i)
{
    static const char *const words[] = {"auto", "screen", "lines", "json", "none", NULL};
    return words[i];
}

#define IN_STORED (IN_BEST | IN_SHOW | IN_DIFF | IN_EXPORT | IN_REPLAY)
#define IN_KEYS \
    (IN_RUN | IN_STORED | IN_PROBLEMS | IN_DOCTOR | IN_GENERATE | IN_COMPARE | IN_TRAIN | IN_CYCLE | \
     IN_COEVOLVE)

const struct option_info option_table[OPTIONS] = {
    [OPT_FILE] = {"file", 0, OPTION_TEXT, true, .metavar = "FILE", .commands = IN_RUN,
                  .help = "evolve this one file instead of a problem folder; needs --score"},
    [OPT_SCORE] = {"score", 0, OPTION_TEXT, true, .metavar = "COMMAND", .commands = IN_RUN,
                   .help = "prints a number for --file, larger is better; it runs in a copy of the "
                           "file's folder in which the file is the candidate"},
    [OPT_FOLDER] = {"folder", 0, OPTION_TEXT, true, .metavar = "FOLDER", .commands = IN_RUN,
                    .fallback = "runs/NAME-SEED",
                    .help = "where the run is stored; a run that is there already goes on"},
    [OPT_SEED] = {"seed", 0, OPTION_COUNT, true, .metavar = "N", .lo = 0, .hi = WHOLE_MAX,
                  .commands = IN_CYCLE | IN_TRAIN | IN_RUN | IN_GENERATE | IN_COMPARE | IN_COEVOLVE,
                  .fallback = "1",
                  .help = "of the random numbers: the same seed gives the same archive, for any "
                          "number of workers, and the same problems; compare: the first of --seeds"},
    [OPT_EVALUATIONS] = {"evaluations", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1,
                         .hi = WHOLE_MAX, .commands = IN_CYCLE | IN_RUN | IN_COMPARE | IN_COEVOLVE,
                         .fallback = "run: the problem's, unless --minutes is given; compare: 2000, "
                                     "unless another budget is given; coevolve: 1,000,000",
                         .help = "stop when a run has evaluated so many candidates, those of "
                                 "earlier commands counted"},
    [OPT_MINUTES] = {"minutes", 0, OPTION_REAL, true, .metavar = "M", .lo = 0.001, .hi = 1e7,
                     .commands = IN_TRAIN | IN_RUN, .help = "stop this command after so many minutes; train: what earlier commands "
                             "took is counted"},
    [OPT_TARGET] = {"target", 0, OPTION_REAL, true, true, "FITNESS", -HUGE_VAL, HUGE_VAL,
                    .commands = IN_RUN, .fallback = "the problem's, if it has one",
                    .help = "stop when the best fitness is at least this; `none` never stops for "
                            "it. Exit status 3 when a budget is spent before a target given here"},
    [OPT_OPERATORS] = {"operators", 0, OPTION_WORDS, true, .metavar = "A,B", .commands = IN_CYCLE | IN_RUN,
                       .word = operator_word, .fallback = "all that apply",
                       .help = "what makes children from parents"},
    [OPT_ARCHIVE] = {"archive", 0, OPTION_WORD, true, .metavar = "NAME", .commands = IN_RUN,
                     .word = archive_word, .fallback = "the problem's",
                     .help = "what is kept, and where"},
    [OPT_SELECTOR] = {"selector", 0, OPTION_WORD, true, .metavar = "NAME", .commands = IN_RUN,
                      .word = selector_word, .fallback = "the problem's",
                      .help = "which programs become parents"},
    [OPT_KEEP] = {"keep", 0, OPTION_WORD, true, .metavar = "WHAT", .commands = IN_RUN,
                  .word = keep_word, .fallback = "all",
                  .help = "what the store keeps: every attempt with its edit, edits of admitted "
                          "programs only, or admitted programs only"},
    [OPT_MODEL] = {"model", 'm', OPTION_TEXT, true, .metavar = "NAME", .commands = IN_CYCLE | IN_TRAIN | IN_RUN,
                   .fallback = "none: no model is asked",
                   .help = "a pulled model (`elm models`) or a GGUF file that changes programs, "
                           "here and with no network; train and cycle: the one to start from, a "
                           "cycle's by the words builtin and random too"},
    [OPT_BACKEND] = {"backend", 0, OPTION_WORD, true, .metavar = "NAME", .commands = IN_RUN,
                     .word = backend_word,
                     .fallback = "native with --model, openai with --endpoint",
                     .help = "who runs the model; `elm list backends` says more"},
    [OPT_ADAPTER] = {"adapter", 0, OPTION_TEXT, true, .metavar = "FILE", .commands = IN_RUN,
                     .help = "a LoRA adapter in GGUF, for the backends native and llama"},
    [OPT_ENDPOINT] = {"endpoint", 0, OPTION_TEXT, true, .metavar = "URL,...", .commands = IN_RUN,
                      .help = "an OpenAI-compatible server: URL[,model=NAME][,key-env=VARIABLE]"
                              "[,key-file=FILE][,weight=W][,in=PRICE][,out=PRICE], prices for a "
                              "million tokens; several with semicolons"},
    [OPT_TOKENS] = {"tokens", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = WHOLE_MAX,
                    .commands = IN_RUN | IN_COMPARE,
                    .help = "stop before a run has used more tokens than this, prompts included"},
    [OPT_MONEY] = {"money", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 1e9,
                   .commands = IN_RUN,
                   .help = "stop before the run has cost more than this, by the prices of "
                           "--endpoint"},
    [OPT_MODEL_SHARE] = {"model-share", 0, OPTION_REAL, true, .metavar = "S", .lo = 0, .hi = 1,
                         .commands = IN_RUN, .fallback = "0.25",
                         .help = "the share of the listed cost that goes to operators which ask "
                                 "the model"},
    [OPT_SCRIPT] = {"script", 0, OPTION_TEXT, true, .metavar = "FILE", .commands = IN_RUN,
                    .help = "answers of the backend scripted, a line %% between them"},
    [OPT_TRAINER] = {"trainer", 0, OPTION_WORD, true, .metavar = "NAME", .commands = IN_CYCLE | IN_TRAIN,
                     .word = trainer_word, .fallback = "sft",
                     .help = "what is learnt; `elm list trainers` says more"},
    [OPT_OUT] = {"out", 0, OPTION_TEXT, true, .metavar = "FILE", .commands = IN_CYCLE | IN_TRAIN,
                 .help = "the GGUF to write; checkpoints are FILE.checkpoint; cycle: its folder"},
    [OPT_REFERENCE] = {"reference", 0, OPTION_TEXT, true, .metavar = "NAME", .commands = IN_TRAIN,
                       .fallback = "--model as it is",
                       .help = "dpo, grpo: the model that the trained one is held near to"},
    [OPT_OPTIMIZER] = {"optimizer", 0, OPTION_TEXT, true, .metavar = "NAME", .commands = IN_CYCLE | IN_TRAIN,
                       .fallback = "adamw",
                       .help = "from gradient to step: one of `elm list optimizers`, or a C file with an "
                               "update rule as problems/adam evolves them, which runs contained"},
    [OPT_SCHEDULE] = {"schedule", 0, OPTION_WORD, true, .metavar = "NAME", .commands = IN_CYCLE | IN_TRAIN,
                      .word = schedule_word, .fallback = "cosine",
                      .help = "how the rate falls, to a thirtieth at the end"},
    [OPT_STEPS] = {"steps", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = WHOLE_MAX,
                   .commands = IN_CYCLE | IN_TRAIN,
                   .help = "stop after so many batches; instead of --minutes; cycle: of the first "
                         "round, 1000 unless given; round r takes r times as many"},
    [OPT_RATE] = {"rate", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 1e3,
                  .commands = IN_CYCLE | IN_TRAIN, .fallback = "the optimizer's",
                  .help = "the size of steps, at its highest"},
    [OPT_WARMUP] = {"warmup", 0, OPTION_REAL, true, .metavar = "S", .lo = 0, .hi = 1,
                    .commands = IN_CYCLE | IN_TRAIN, .fallback = "0.02",
                    .help = "the share of the budget in which the rate rises"},
    [OPT_CLIP] = {"clip", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 1e9,
                  .commands = IN_TRAIN, .fallback = "1",
                  .help = "longer gradients are shortened to this"},
    [OPT_DECAY] = {"decay", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 10,
                   .commands = IN_TRAIN, .fallback = "0",
                   .help = "decay of the weights of linear layers"},
    [OPT_BETA1] = {"beta1", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 0.9999999,
                   .commands = IN_TRAIN, .fallback = "the optimizer's",
                   .help = "how long the mean of gradients remembers"},
    [OPT_BETA2] = {"beta2", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 0.9999999,
                   .commands = IN_TRAIN, .fallback = "the optimizer's",
                   .help = "the same of their squares, or of lion's momentum"},
    [OPT_EPSILON] = {"epsilon", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 1,
                     .commands = IN_TRAIN, .fallback = "the optimizer's",
                     .help = "what keeps a step from dividing by zero"},
    [OPT_BATCH] = {"batch", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 65536,
                   .commands = IN_CYCLE | IN_TRAIN, .fallback = "the trainer's",
                   .help = "examples, pairs, groups or samples a step"},
    [OPT_CONTEXT] = {"context", 0, OPTION_COUNT, true, .metavar = "N", .lo = 2, .hi = 32768,
                     .commands = IN_TRAIN, .fallback = "the trainer's",
                     .help = "tokens of a sequence at most; of a longer one the front of the prompt goes"},
    [OPT_LORA] = {"lora", 0, OPTION_COUNT, true, .metavar = "RANK", .lo = 1, .hi = 4096,
                  .commands = IN_TRAIN, .fallback = "all weights learn",
                  .help = "train a LoRA adapter of this rank, on every linear layer"},
    [OPT_LORA_ALPHA] = {"lora-alpha", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 1e4,
                        .commands = IN_TRAIN, .fallback = "the rank",
                        .help = "an adapter counts alpha / rank times"},
    [OPT_BETA] = {"beta", 0, OPTION_REAL, true, .metavar = "X", .lo = 0, .hi = 1e3,
                  .commands = IN_TRAIN, .fallback = "dpo: 0.1; grpo: 0.04",
                  .help = "dpo: of the margin; grpo: of the KL term"},
    [OPT_LABELS] = {"labels", 0, OPTION_TEXT, true, .metavar = "LIST", .commands = IN_CYCLE | IN_TRAIN,
                    .fallback = "good",
                    .help = "edits: what is learnt of runs, with commas: good, binary, graded, jump, elites; "
                            "dpo and grpo: better, or graded, where rank in fitness is the reward and "
                            "pairs are the best with each that is worse"},
    [OPT_SHUFFLED] = {"shuffled", 0, OPTION_FLAG, true, .commands = IN_TRAIN,
                      .help = "of runs: outcomes change places within each run: a control"},
    [OPT_ADMITTED] = {"admitted", 0, OPTION_REAL, true, .metavar = "S", .lo = 0, .hi = 1,
                      .commands = IN_EXPORT | IN_TRAIN, .fallback = "answers of models",
                      .help = "sft, scratch, trl-sft: whole programs that runs admitted, whose fitness is at "
                              "least this share of the best of their niche"},
    [OPT_INVERSIONS] = {"inversions", 0, OPTION_REAL, true, .metavar = "S", .lo = 0, .hi = 1,
                        .commands = IN_CYCLE | IN_TRAIN, .fallback = "0.3",
                        .help = "edits: share of the lessons that are programs broken on purpose"},
    [OPT_WIDTH] = {"width", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 65536,
                   .commands = IN_CYCLE | IN_TRAIN, .fallback = "the trainer's",
                   .help = "of a model from nothing"},
    [OPT_LAYERS] = {"layers", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 1024,
                    .commands = IN_CYCLE | IN_TRAIN, .fallback = "the trainer's",
                    .help = "of a model from nothing"},
    [OPT_VOCABULARY] = {"vocabulary", 0, OPTION_COUNT, true, .metavar = "N", .lo = 257, .hi = 65536,
                        .commands = IN_TRAIN, .fallback = "1024",
                        .help = "tokens of a tokenizer from nothing"},
    [OPT_THREADS] = {"threads", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 256,
                     .commands = IN_TRAIN, .fallback = "as many as cores",
                     .help = "that compute; the result doesn't depend on it"},
    [OPT_CHECKPOINT_SECONDS] = {"checkpoint-seconds", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1,
                                .hi = 1e6, .commands = IN_TRAIN, .fallback = "60",
                                .help = "time between two checkpoints"},
    [OPT_ROUNDS] = {"rounds", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 99,
                    .commands = IN_CYCLE, .fallback = "3",
                    .help = "how often to solve, train and gate, earlier commands counted; more may be "
                            "asked for later"},
    [OPT_GATE] = {"gate", 0, OPTION_COUNT, true, .metavar = "N", .lo = 0, .hi = 100000,
                  .commands = IN_CYCLE, .fallback = "256, or 32 for problems by name",
                  .help = "pairs of runs, on problems or with seeds that nothing has seen, after which new "
                          "weights that are not clearly better are not adopted; 0: all are adopted"},
    [OPT_HELD_OUT] = {"held-out", 0, OPTION_COUNT, true, .metavar = "N", .lo = 0, .hi = 100000,
                      .commands = IN_CYCLE, .fallback = "100, or 5 for problems by name",
                      .help = "problems, or seeds, of the report set, on which each round is measured; 0: no "
                              "report"},
    [OPT_CONTROLS] = {"controls", 0, OPTION_TEXT, true, .metavar = "A,B", .commands = IN_CYCLE,
                      .fallback = "all",
                      .help = "what the report measures the operator against: base, inversions (as much CPU "
                              "time of them), shuffled (outcomes), frequencies (of good edits), semantic, gp, best-of; "
                              "or none"},
    [OPT_NEW_PROBLEMS] = {"new-problems", 0, OPTION_WORD, true, .metavar = "HOW",
                          .commands = IN_COEVOLVE, .word = new_problems_word, .fallback = "mutated",
                          .help = "where they come from: those there are, mutated; drawn anew, as the first "
                                  "ones; those that are solved, mutated; or none, for comparison"},
    [OPT_TARGETS] = {"targets", 0, OPTION_TEXT, true, .metavar = "FOLDER", .commands = IN_COEVOLVE,
                     .fallback = "drawn by the seed",
                     .help = "begin with the problems that another coevolution, of the same seed, solved "
                             "last: what can be solved without the way there?"},
    [OPT_QD] = {"qd", 0, OPTION_FLAG, true, .commands = IN_COMPARE,
                .help = "compare what runs have in all niches of the problem's measures, not their best "
                        "program alone"},
    [OPT_ARM] = {"arm", 0, OPTION_LIST, true, .metavar = "ARM", .commands = IN_COMPARE,
                 .help = "a configuration: operators with commas, or 'NAME: key=value; key=value'; once "
                         "for each, the first is what the others are compared with"},
    [OPT_PROBLEMS] = {"problems", 0, OPTION_TEXT, true, .metavar = "FOLDER", .commands = IN_COMPARE,
                      .help = "every problem folder in it; of one with variants these; functions: the set "
                              "that comes with elm"},
    [OPT_GENERATED] = {"generated", 0, OPTION_TEXT, true, .metavar = "STREAM:COUNT:SEED",
                       .commands = IN_CYCLE | IN_COMPARE,
                       .help = "problems made in memory, of the stream train, gate or report; "
                               ":MIN-MAX after it are the corruptions, 1-6 by default; cycle: the "
                               "word functions, new ones every round"},
    [OPT_SEEDS] = {"seeds", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 10000,
                   .commands = IN_CYCLE | IN_COMPARE, .fallback = "3",
                   .help = "runs of each arm on each problem; cycle: searches of each problem in a "
                            "round, 4 unless given"},
    [OPT_CPU_SECONDS] = {"cpu-seconds", 0, OPTION_REAL, true, .metavar = "S", .lo = 0.001,
                         .hi = 1e7, .commands = IN_COMPARE,
                         .help = "stop when a run has taken so much CPU time, its cages counted; the "
                                 "result then depends on the machine"},
    [OPT_EVALUATION_MS] = {"evaluation-ms", 0, OPTION_REAL, true, .metavar = "MS", .lo = 0, .hi = 1e9,
                           .commands = IN_COMPARE, .fallback = "0",
                           .help = "CPU time added for each evaluation: what it would be where the "
                                   "evaluators were so much dearer"},
    [OPT_REPORT] = {"report", 0, OPTION_TEXT, true, .metavar = "FOLDER", .commands = IN_COMPARE,
                    .help = "where report.md, its curves and comparison.json are written; finished "
                            "runs are kept there, and not made again by the same command and "
                            "program"},
    [OPT_WORKERS] = {"workers", 'j', OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 256,
                     .commands = IN_CYCLE | IN_RUN | IN_COMPARE, .fallback = "as many as cores",
                     .help = "threads that evaluate, runs at a time of compare; the result doesn't "
                             "depend on it"},
    [OPT_LEVEL] = {"level", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 3,
                   .commands = IN_CYCLE | IN_RUN | IN_BEST | IN_COMPARE,
                   .fallback = "the best there is, at least 2",
                   .help = "sandbox level to use; `elm doctor` says what this machine gives"},
    [OPT_UNSAFE] = {"unsafe", 0, OPTION_FLAG, true, .commands = IN_CYCLE | IN_RUN | IN_COMPARE,
                    .help = "allow sandbox level 1: candidates are limited, not contained"},
    [OPT_TCC] = {"tcc", 0, OPTION_FLAG, true, .commands = IN_RUN,
                 .help = "compile every candidate instead of running core C in the virtual "
                         "machine"},
    [OPT_MINIMISE] = {"minimise", 0, OPTION_FLAG, true, .commands = IN_BEST,
                      .help = "take out every change from the seed that the fitness doesn't need"},
    [OPT_TEXTS] = {"texts", 0, OPTION_FLAG, true, .commands = IN_EXPORT,
                   .help = "the text of every attempt, not only of admitted programs"},
    [OPT_FORMAT] = {"format", 0, OPTION_WORD, true, .metavar = "NAME", .commands = IN_EXPORT,
                    .word = format_word, .fallback = "attempts",
                    .help = "every attempt, or what models were asked and answered, in a form of TRL"},
    [OPT_OUTPUT] = {"output", 'o', OPTION_TEXT, false, .metavar = "PATH",
                    .commands = IN_BEST | IN_EXPORT,
                    .fallback = "best: RUN-best; export: standard output",
                    .help = "where to write"},
    [OPT_YES] = {"yes", 0, OPTION_FLAG, false, .commands = IN_RUNS,
                 .help = "don't ask before deleting"},
    [OPT_COUNT] = {"count", 0, OPTION_COUNT, true, .metavar = "N", .lo = 1, .hi = 1e6,
                   .commands = IN_CYCLE | IN_GENERATE | IN_COEVOLVE, .fallback = "100; coevolve: 16",
                   .help = "problems to write; coevolve: at a time, 2 to 32"},
    [OPT_STREAM] = {"stream", 0, OPTION_WORD, true, .metavar = "NAME", .commands = IN_GENERATE,
                    .word = stream_word, .fallback = "report",
                    .help = "train, gate and report share no function: what is trained on is in no "
                            "gate and no report"},
    [OPT_CORRUPTIONS] = {"corruptions", 0, OPTION_TEXT, true, .metavar = "MIN-MAX",
                         .commands = IN_CYCLE | IN_GENERATE, .fallback = "1-6",
                         .help = "changes between a problem's answer and its seed, 1 to 8, each of "
                                 "which changes what it computes"},
    [OPT_FAMILY] = {"family", 0, OPTION_WORD, true, .metavar = "NAME", .commands = IN_GENERATE,
                    .word = family_word, .fallback = "functions",
                    .help = "functions as in exercises, or boolean: straight-line programs with the "
                            "fewest gates that there can be"},
    [OPT_HARDNESS] = {"hardness", 0, OPTION_FLAG, true, .commands = IN_GENERATE,
                      .help = "measure how hard each problem is, and write it into problem.yaml; "
                              "takes up to seconds a problem"},
    [OPT_OPEN_ENDED] = {"open-ended", 0, OPTION_FLAG, false, .commands = IN_SHOW,
                        .help = "does the run go on adapting? Evolutionary activity and MODES over "
                                "evaluations, beside shadow runs without selection"},
    [OPT_MARKDOWN] = {"markdown", 0, OPTION_FLAG, false, .commands = IN_HELP,
                      .help = "all of it, as docs/commands.md"},
    [OPT_PROBLEMS_PATH] = {"problems-path", 0, OPTION_TEXT, true, .metavar = "FOLDERS",
                           .commands = IN_KEYS & ~(IN_GENERATE | IN_TRAIN | IN_COEVOLVE),
                           .fallback = "./problems, then the installed ones",
                           .help = "folders that hold problem folders, with colons between"},
    [OPT_PROMPTS] = {"prompts", 0, OPTION_TEXT, true, .metavar = "FOLDER",
                     .commands = IN_RUN | IN_SHOW, .fallback = "what is built in",
                     .help = "files named as `elm show prompt` names them that take the place of "
                             "what models are asked"},
    [OPT_MODELS_PATH] = {"models-path", 0, OPTION_TEXT, true, .metavar = "FOLDER",
                         .commands = IN_CYCLE | IN_TRAIN | IN_RUN | IN_MODELS | IN_COMPARE,
                         .fallback = "$XDG_DATA_HOME/elm/models, or ~/.local/share/elm/models",
                         .help = "the folder of models, each a NAME.gguf"},
    [OPT_PROGRESS] = {"progress", 0, OPTION_WORD, true, .metavar = "HOW",
                      .commands = IN_CYCLE | IN_TRAIN | IN_RUN | IN_COEVOLVE, .word = progress_word, .fallback = "auto: screen on a terminal, else lines",
                      .help = "how progress is shown on standard error; json is one object a line, "
                             "with why an operator is idle"},
    [OPT_JSON] = {"json", 0, OPTION_FLAG, false,
                  .commands = IN_CYCLE | IN_TRAIN | IN_RUN | IN_BEST | IN_SHOW | IN_DIFF | IN_REPLAY | IN_PROBLEMS |
                              IN_RUNS | IN_LIST | IN_MODELS | IN_DOCTOR | IN_COMPARE | IN_COEVOLVE,
                  .help = "the result as one JSON document"},
    [OPT_QUIET] = {"quiet", 'q', OPTION_FLAG, true,
                   .commands = IN_CYCLE | IN_TRAIN | IN_RUN | IN_BEST | IN_EXPORT | IN_REPLAY | IN_MODELS | IN_GENERATE |
                               IN_COMPARE | IN_COEVOLVE,
                   .help = "nothing on standard error but errors"},
    [OPT_CONFIG] = {"config", 0, OPTION_TEXT, false, .metavar = "FILE",
                    .commands = IN_KEYS | IN_MODELS,
                    .help = "a YAML file of option names and values; ELM_CONFIG names one too"},
    [OPT_SET] = {"set", 0, OPTION_TEXT, false, .metavar = "KEY=VALUE",
                 .commands = IN_KEYS | IN_MODELS,
                 .help = "an option by its configuration key; weaker than flag and environment"},
    [OPT_HELP] = {"help", 'h', OPTION_FLAG, false, .commands = IN_ALL, .help = "this text"},
};

void option_environment(enum option_id id, char out[64])
{
    size_t n = (size_t)snprintf(out, 64, "ELM_%s", option_table[id].name);
    for (size_t i = 4; i < n; i++) {
        if (out[i] == '-')
            out[i] = '_';
        else if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 'a' + 'A');
    }
}

void option_words(enum option_id id, const char *out[OPTION_WORDS_MAX + 1])
{
    size_t count = 0;
    const struct option_info *o = &option_table[id];
    while (o->word != NULL && count < OPTION_WORDS_MAX && o->word(count) != NULL) {
        out[count] = o->word(count);
        count++;
    }
    out[count] = NULL;
}

void option_allowed(enum option_id id, struct elm_buf *out)
{
    const struct option_info *o = &option_table[id];
    if (o->type == OPTION_FLAG) {
        elm_buf_printf(out, "yes or no");
    } else if (o->word != NULL) {
        for (size_t i = 0; o->word(i) != NULL; i++)
            elm_buf_printf(out, "%s%s", i == 0 ? "" : ", ", o->word(i));
        if (o->type == OPTION_WORDS)
            elm_buf_printf(out, ", or several with commas");
    } else if (o->type == OPTION_COUNT || o->type == OPTION_REAL) {
        elm_buf_printf(out, o->type == OPTION_COUNT ? "a whole number" : "a number");
        if (o->hi >= WHOLE_MAX && isfinite(o->lo))
            elm_buf_printf(out, " from %g on", o->lo);
        else if (isfinite(o->hi))
            elm_buf_printf(out, ", %g to %g", o->lo, o->hi);
        if (o->none)
            elm_buf_printf(out, " or none");
    } else {
        elm_buf_printf(out, o->type == OPTION_LIST ? "any text, several times" : "any text");
    }
}

/* Decimal number with an optional k, M or G. */
static bool read_number(const char *text, double *out)
{
    size_t len = strspn(text, "+-0123456789.eE");
    char *end;
    double x = strtod(text, &end);
    if (len == 0 || end != text + len)
        return false;
    static const struct { const char *suffix; double factor; } suffixes[] = {
        {"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9},
    };
    for (size_t i = 0; i < ELM_COUNT(suffixes); i++) {
        if (strcmp(end, suffixes[i].suffix) == 0) {
            *out = x * suffixes[i].factor;
            return isfinite(*out);
        }
    }
    return false;
}

/* The allowed value nearest to a wrong one; "" when none is near. */
static struct short_text nearest_to(enum option_id id, const char *text)
{
    const struct option_info *o = &option_table[id];
    struct short_text near = {""};
    const char *words[OPTION_WORDS_MAX + 1];
    option_words(id, words);
    const char *word = text_nearest(text, words);
    double x;
    if (word != NULL) {
        snprintf(near.s, sizeof(near.s), "%s", word);
    } else if ((o->type == OPTION_COUNT || o->type == OPTION_REAL) && read_number(text, &x)) {
        x = x < o->lo ? o->lo : x > o->hi ? o->hi : x;
        snprintf(near.s, sizeof(near.s), "%.16g", o->type == OPTION_COUNT ? round(x) : x);
    }
    return near;
}

static enum elm_status refuse(enum option_id id, const char *text, const char *where,
                              struct elm_error *err)
{
    struct elm_buf allowed = {0};
    option_allowed(id, &allowed);
    struct short_text near = nearest_to(id, text);
    enum elm_status status = elm_fail(err, ELM_USAGE,
                                      "%s: '%.80s' is not allowed; it takes %s%s%s%s", where, text,
                                      allowed.ptr, near.s[0] != '\0' ? "; nearest is '" : "",
                                      near.s, near.s[0] != '\0' ? "'" : "");
    elm_buf_release(&allowed);
    return status;
}


static bool read_flag(const char *text, bool *on)
{
    static const char *const yes[] = {"yes", "true", "on", "1"};
    static const char *const no[] = {"no", "false", "off", "0"};
    for (size_t i = 0; i < ELM_COUNT(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *on = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool is_word(enum option_id id, const char *word)
{
    for (size_t i = 0; option_table[id].word(i) != NULL; i++) {
        if (strcmp(word, option_table[id].word(i)) == 0)
            return true;
    }
    return false;
}

/* Checks each word of a list with commas; names the first that is wrong. */
static enum elm_status check_words(enum option_id id, const char *text, const char *where,
                                   struct elm_error *err)
{
    const char *at = text;
    do {
        char word[80];
        size_t len = strcspn(at, ",");
        snprintf(word, sizeof(word), "%.*s", (int)len, at);
        if (len >= sizeof(word) || !is_word(id, word))
            return refuse(id, word, where, err);
        at += len;
    } while (*at++ == ',');
    return ELM_OK;
}

static enum elm_status check(enum option_id id, const char *text, const char *where,
                             struct option_value *out, struct elm_error *err)
{
    const struct option_info *o = &option_table[id];
    if (o->type == OPTION_WORDS)
        return check_words(id, text, where, err);
    bool good = true;
    if (o->type == OPTION_FLAG) {
        good = read_flag(text, &out->on);
    } else if (o->type == OPTION_WORD) {
        good = is_word(id, text);
    } else if (o->type == OPTION_TEXT || o->type == OPTION_LIST) {
        good = text[0] != '\0';
    } else if (o->none && strcmp(text, "none") == 0) {
        out->number = NAN;
    } else {
        double x = 0;
        good = read_number(text, &x) && x >= o->lo && x <= o->hi &&
               (o->type == OPTION_REAL || x == floor(x));
        out->number = x;
    }
    return good ? ELM_OK : refuse(id, text, where, err);
}

enum elm_status option_assign(struct invocation *v, enum option_id id, const char *text,
                              enum origin origin, const char *where, struct elm_error *err)
{
    struct option_value value = {.origin = (uint8_t)origin};
    ELM_TRY(check(id, text, where, &value, err));
    if (origin < v->values[id].origin)
        return ELM_OK;
    bool more = option_table[id].type == OPTION_LIST && origin == v->values[id].origin;
    size_t old = more ? strlen(v->values[id].text) + 1 : 0, bytes = strlen(text) + 1;
    char *copy = elm_arena_alloc(&v->arena, old + bytes);
    if (more) {
        memcpy(copy, v->values[id].text, old);
        copy[old - 1] = '\n';
    }
    memcpy(copy + old, text, bytes);
    value.text = copy;
    v->values[id] = value;
    return ELM_OK;
}

enum elm_status option_find_key(const char *key, const char *where, enum option_id *out,
                                struct elm_error *err)
{
    const char *keys[OPTIONS + 1];
    size_t count = 0;
    for (int id = 0; id < OPTIONS; id++) {
        if (!option_table[id].key)
            continue;
        if (strcmp(key, option_table[id].name) == 0) {
            *out = (enum option_id)id;
            return ELM_OK;
        }
        keys[count++] = option_table[id].name;
    }
    keys[count] = NULL;
    const char *near = text_nearest(key, keys);
    if (near != NULL) {
        return elm_fail(err, ELM_USAGE, "%s: there is no key '%.80s'; did you mean '%s'?", where,
                        key, near);
    }
    struct elm_buf all = {0};
    text_join(&all, keys, ", ");
    enum elm_status status = elm_fail(err, ELM_USAGE, "%s: there is no key '%.80s'; there are: %s",
                                      where, key, all.ptr);
    elm_buf_release(&all);
    return status;
}

bool opt_given(const struct invocation *v, enum option_id id)
{
    return v->values[id].origin != FROM_DEFAULT;
}

bool opt_on(const struct invocation *v, enum option_id id)
{
    return v->values[id].on;
}

const char *opt_text(const struct invocation *v, enum option_id id)
{
    return v->values[id].text;
}

double opt_real(const struct invocation *v, enum option_id id, double fallback)
{
    return opt_given(v, id) ? v->values[id].number : fallback;
}

uint64_t opt_count(const struct invocation *v, enum option_id id, uint64_t fallback)
{
    return opt_given(v, id) ? (uint64_t)v->values[id].number : fallback;
}
