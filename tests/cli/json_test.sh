# json: one document on standard output, one object a line for progress and export.
. "${0%/*}/lib.sh"
if ! command -v python3 >/dev/null; then
  skip "no python3 to read JSON with"
  finish
fi
valid() {
  expect 0 "$@" --json
  if python3 -m json.tool <out >/dev/null 2>err; then ok; else bad "elm $*: no JSON document"; fi
}
valid run parity:2 --evaluations 500 --target none
valid run estimate --evaluations 500
valid run parity:2 --evaluations 1000 --target none -q
same "quiet" "$(cat err)" ""
for words in show "show parity.2-1" "show parity.2-1 best" diff "diff estimate-1" replay runs problems \
  "problems sort" "problems estimate" "list operators" "list archives" doctor best; do
  valid $words
done
lines() {
  python3 -c 'import json, sys
for line in sys.stdin: json.loads(line)' <"$1" 2>why && ok || bad "$1 holds a line that is no JSON"
}
expect 0 run sort --evaluations 3000 --progress json
lines err
has err '"idle":"the judge gives no wanted outputs"'
expect 0 export sort-1 --texts
lines out
# names with anything in them
mkdir 'a "b' && cp "$TOP"/problems/parity/* 'a "b/' 2>/dev/null
folder=$(printf 'r\303\244 "\\\001\377')
expect 0 run parity --folder "$folder" --evaluations 200 --json -q
python3 -m json.tool <out >/dev/null 2>err && ok || bad "a strange folder breaks the document"
expect 0 show "$folder" --json
python3 -m json.tool <out >/dev/null 2>err && ok || bad "a strange folder breaks the document"
finish
