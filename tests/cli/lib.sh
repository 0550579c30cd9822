# lib: every test here begins by reading it. A test runs in a scratch folder of its own with $ELM
# (the binary, build/release/elm unless given) and $TOP (the repository), calls what is below, and
# ends with `finish`.
set -u
TOP=$(cd "$(dirname "$0")/../.." && pwd)
ELM=${ELM:-$TOP/build/release/elm}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
for name in $(env | sed -n 's/^\(ELM_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
export TOP ELM HOME="$scratch" ELM_PROBLEMS_PATH="$TOP/problems" LC_ALL=C
unset NO_COLOR LANG TERM
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() {
  failed=$((failed + 1))
  echo "not ok: $(basename "$0"): $*"
  for file in out err; do
    [ ! -s $file ] || { echo "  $file:"; head -n 12 $file | cut -c1-200 | sed 's/^/  | /'; }
  done
}
skip() { echo "skipped: $(basename "$0"): $*"; }

# expect STATUS WORDS...: runs `elm WORDS`, output in the files out and err.
expect() {
  wanted=$1
  shift
  "$ELM" "$@" >out 2>err </dev/null
  got=$?
  if [ $got -eq "$wanted" ]; then ok; else bad "elm $*: exit status $got, not $wanted"; fi
}
# has FILE TEXT, hasnt FILE TEXT: a fixed text in a file.
has() { if grep -qF -e "$2" "$1"; then ok; else bad "'$2' is not in $1"; fi; }
hasnt() { if grep -qF -e "$2" "$1"; then bad "'$2' is in $1"; else ok; fi; }
# same WHAT A B
same() { if [ "$2" = "$3" ]; then ok; else bad "$1: '$2' is not '$3'"; fi; }
# there PATH
there() { if [ -e "$1" ]; then ok; else bad "$1 is not there"; fi; }
# The value of a top-level key of the JSON document in a file.
key() { sed -n "s/^  \"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$1" | head -n 1; }
# Waits until a file holds a text, ten seconds at most.
await() {
  tries=0
  until grep -qF -e "$2" "$1" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || { bad "'$2' never came in $1"; return 1; }
    sleep 0.05
  done
}
finish() {
  echo "$(basename "$0" _test.sh): $passed passed, $failed failed"
  [ -z "${TALLY:-}" ] || echo "$passed $failed" >"$TALLY"
  exit $((failed > 0))
}
