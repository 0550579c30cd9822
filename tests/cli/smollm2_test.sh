# smollm2: the real model, pulled once into build/models: every child builds, but where C leaves an order
# open, and the same seed gives the same children for any number of threads.
. "${0%/*}/lib.sh"
models=${ELM_TEST_MODELS:-$TOP/build/models}
if ! "$ELM" models check "$models/smollm2.gguf" >/dev/null 2>&1 &&
  ! "$ELM" models pull smollm2 --models-path "$models" -q >out 2>&1; then
  skip "the model could not be pulled: $(tail -n 1 out)"
  finish
fi
ask() { # folder, workers, more words
  folder=$1 workers=$2
  shift 2
  expect 0 run sort --model smollm2 --models-path "$models" --operators span --evaluations 40 \
    --folder "$folder" --workers "$workers" --json -q "$@"
}
ask one 1
same_hash=$(key out hash)
ask two 2
same "the archive's hash for two workers" "$(key out hash)" "$same_hash"
expect 0 show two
has out "span"
hasnt out "parse-failed"
expect 0 export two
same "refused but for the order" "$(grep '"build-failed"' out | grep -vc "no order between")" 0
expect 0 replay two
has out "as the run ended with"
expect 0 show two 1
has out "what the model was asked"
has out "what it answered"
expect 0 show two --json
finish
