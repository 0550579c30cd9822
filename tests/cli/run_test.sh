# run: a run, what it prints, and every command that looks at it.
. "${0%/*}/lib.sh"
expect 0 run sort --evaluations 3000 --seed 2 -j 1
for part in "sort: fitness" "evaluated again" "on cases never used" "the best program" \
  "what it changed in the seed" "how it came about" "best fitness over evaluations" "@@ " \
  runs/sort-2 runs/sort-2/best.c "what to try next"; do
  has out "$part"
done
has err "running sort, seed 2, in runs/sort-2"
has err " idle: --progress json says why"
same "columns of the operators' line" "$(grep -cE '^elm: operators.{86}' err)" 0
has err evaluations
there runs/sort-2/best.c
expect 0 replay sort-2
has out "as the run ended with"

# the same command goes on, here to the same end; so does the folder's name
expect 0 run sort --evaluations 3000 --seed 2 --json -q
hash=$(key out hash)
same resumed "$(key out resumed)" true
expect 0 run runs/sort-2 --evaluations 5000 --json -q
there runs/sort-2/best.c
longer=$(key out hash) made=$(key out evaluations)
# a budget that is spent already undoes nothing
expect 0 run runs/sort-2 --evaluations 10 --json -q
same "evaluations that were made" "$(key out evaluations)" "$made"
same "their archive" "$(key out hash)" "$longer"
expect 0 run sort --seed 2 --evaluations 5000 --json -q --folder elsewhere -j 2
same "one run of 5000 or two" "$(key out hash)" "$longer"
expect 0 run sort --seed 2 --evaluations 3000 --json -q --folder third -j 2
same "one worker or two" "$(key out hash)" "$hash"
expect 2 run sort --folder elsewhere --seed 3 --evaluations 9000
has err "has seed 2"
expect 2 run sort --folder elsewhere --archive topk
has err "archive 'grid'"
expect 2 run parity --folder elsewhere
has err "has problem 'sort'"

expect 0 show sort-2
for part in "problem         sort" "seed            2" operator duplicate archive: niche; do
  has out "$part"
done
expect 0 show sort-2 best
has out "int sort("
has out "where it came from"
expect 0 show runs/sort-2 seed
has out "program 0 of"
expect 0 show sort-2 7
expect 2 show sort-2 99999999
expect 2 show sort-2 worst
expect 0 diff sort-2
has out "@@ "
expect 0 diff sort-2 seed seed
same "nothing differs" "$(cat out)" ""
expect 0 diff sort-2 0 best
expect 2 diff sort-2 99999999

expect 0 export sort-2
lines=$(wc -l <out)
same "a line each" "$lines" "$("$ELM" show sort-2 --json | sed -n 's/^  "attempts": \(.*\),/\1/p')"
for name in id batch operator status outcome better parents opponent hash fitness measures steps \
  arrival_us reintroduced why text; do
  has out "\"$name\":"
done
expect 0 export sort-2 --texts -o attempts.jsonl
same "as many in the file" "$(wc -l <attempts.jsonl)" "$lines"
if grep -q '"status":"crashed".*"text":"' attempts.jsonl; then ok; else bad "failed ones have no text"; fi
"$ELM" export sort-2 2>err | head -n 1 >/dev/null
same "a reader that leaves is no error" "$(cat err)" ""

expect 0 runs
has out runs/sort-2
expect 0 runs .
has out ./elsewhere
expect 2 runs rm sort-2
has err --yes
there runs/sort-2/elm.db
expect 0 runs rm sort-2 --yes
if [ -e runs/sort-2 ]; then bad "runs/sort-2 is still there"; else ok; fi
mkdir -p runs/mine && echo precious >runs/mine/notes
expect 2 runs rm mine --yes
there runs/mine/notes

# one file and a command
printf 'int f(int a)\n{\n    return a * 3 + 2;\n}\n' >f.c
printf '#!/bin/sh\ngrep -o "[0-9]*" f.c | awk "{ s += \\$1 } END { print s }"\n' >digits.sh
chmod +x digits.sh
expect 0 run --file f.c --score ./digits.sh --evaluations 60 --json -q
same "its folder" "$(key out folder)" runs/f.c-1
expect 0 run --file f.c --score ./digits.sh --evaluations 90 -q
expect 2 run --file f.c --score false --folder none -q
has err "the command failed with 1"
hasnt err "failed with 1:"
finish
