# train: from data to a model, stopping and going on, data out of a run.
. "${0%/*}/lib.sh"

for i in 0 1 2 3 4 5 6 7 8 9; do
  echo "{\"prompt\": \"$i and 1: \", \"completion\": \"$((i + 1));\"}"
done >data.jsonl
small="--trainer scratch --width 32 --layers 1 --vocabulary 270 --context 32 --rate 3e-3"

expect 0 train data.jsonl $small --steps 600 --out small.gguf
has out "small.gguf: loss 0.0"
has out "after 600 steps, 9,600 samples"
has err "training by scratch, optimizer adamw"
expect 1 train data.jsonl $small --steps 600 --out small.gguf
has err "'small.gguf' is there already"
expect 2 train data.jsonl $small --steps 600
has err "--out FILE.gguf"
hasnt err "training by"
expect 0 models check ./small.gguf

expect 0 train data.jsonl -m ./small.gguf --lora 4 --steps 20 --optimizer muon --out lora.gguf --json \
  --progress json
same "steps" "$(key out step)" 20
has err '"tokens_per_s"'
expect 0 train data.jsonl --trainer sft -m ./small.gguf --steps 5 --seed 2 --out tuned.gguf -q
same "quiet" "$(cat err)" ""

# what a search found is an optimizer as it is
expect 0 run adam --evaluations 40 -q
expect 0 best adam-1 -o -
mv out found.c
expect 0 best adam-1 --minimise -o minimal.c
there minimal.c
expect 0 train data.jsonl $small --steps 100 --optimizer found.c --out found.gguf
has err "optimizer found.c"
expect 0 train data.jsonl $small --steps 20 --optimizer ./minimal.c --out minimal.gguf -q
sed 's/double b1/dubble b1/' found.c >broken.c
expect 1 train data.jsonl $small --steps 5 --optimizer broken.c --out broken.gguf
has err "'broken.c', line 6"

# Ctrl-C saves; the same command goes on. A shell's background jobs ignore SIGINT
elm() { exec env --default-signal=INT "$ELM" "$@"; }
stop() {
  rm -f err
  elm train data.jsonl $small --steps 1M --out long.gguf >out 2>err &
  pid=$!
  await err "step "
  kill -INT $pid
  { wait $pid; } 2>/dev/null
  same "status" $? 130
  has err "which is saved; go on with: elm train data.jsonl"
  there long.gguf.checkpoint
}
stop
has err "training by scratch"
stop
has err "going on with scratch"
expect 2 train data.jsonl $small --steps 2M --out long.gguf
has err "of a training with other options"

expect 2 train data.jsonl --out x.gguf
has err "either --steps or --minutes"
expect 2 train data.jsonl -m ./small.gguf --steps 3
has err "--out FILE"
expect 2 train nowhere --out x.gguf --steps 1
has err "'nowhere' is neither"
expect 1 train data.jsonl --trainer dpo -m ./small.gguf --steps 1 --out x.gguf
has err 'data.jsonl:1: not of the form {"prompt", "chosen", "rejected"}'
expect 0 list trainers
has out "grpo"

# what a run's model answered, good and bad
cat >answers <<'END'
```c
int parity(int b1, int b2, int b3, int b4)
{
    return (b1 + b2 + b3 + b4) % 2;
}
```
%%
```c
int parity(int b1, int b2, int b3, int b4)
{
    return 7;
}
```
%%
no program at all
END
expect 0 run parity:1 --backend scripted --script answers --operators rewrite --evaluations 40 \
  --folder run --target none
expect 0 export run --format trl-kto
has out '"label":true'
has out '"label":false'
has out '"prompt":"'
expect 0 export run --format trl-sft
hasnt out "no program at all"
expect 0 export run --format trl-dpo -o pairs.jsonl
has err "lines in pairs.jsonl"
has pairs.jsonl '"chosen":"'
expect 0 export run --format trl-grpo -o groups.jsonl
expect 0 train run --trainer dpo -m ./small.gguf --steps 2 --batch 2 --out from-run.gguf
has out "accuracy"
expect 0 train pairs.jsonl --trainer dpo -m ./small.gguf --steps 2 --batch 2 --out from-file.gguf
if cmp -s from-run.gguf from-file.gguf; then ok; else bad "a run and its export train differently"; fi
expect 0 train groups.jsonl --trainer grpo -m ./small.gguf --steps 2 --out grpo.gguf
expect 0 train run --trainer dpo -m ./small.gguf --labels graded --steps 2 --batch 2 --out graded.gguf -q
expect 2 train run --trainer dpo -m ./small.gguf --labels jump --steps 2 --out labels.gguf
has err "labels 'jump' of answers: better and graded are allowed"

# whole programs that a run admitted, whoever wrote them
expect 0 run parity --operators tree --evaluations 300 --folder gp --target none -q
expect 0 export gp --format trl-kto
has err "no text of a model in this run"
expect 0 export gp --format trl-sft --admitted 0.5
has out '"prompt":"/* '
has out '"completion":"'
expect 2 export gp --admitted 0.5
has err "--admitted takes --format trl-sft"
expect 0 train gp --trainer scratch --admitted 0.5 --width 32 --layers 1 --vocabulary 300 --steps 20 --out whole.gguf -q
expect 0 run parity --operators compose --model ./whole.gguf --evaluations 32 --folder whole --target none
has out "compose"
expect 0 show prompt compose parity
has out "int parity("
expect 2 train gp --trainer grpo -m ./whole.gguf --admitted 0.5 --steps 2 --out no.gguf
has err "the trainers sft and scratch"
finish
