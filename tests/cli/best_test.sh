# best: what is exported builds and scores without elm, as elm said.
. "${0%/*}/lib.sh"
for problem in sort quadratic estimate; do
  expect 0 run $problem --evaluations 2000 -q
  expect 0 best $problem-1 --minimise
  for file in program.c seed.c changes.diff judge.c main.c Makefile elm/judge.h README.md report.json; do
    there runs/$problem-1-best/$file
  done
  mv runs/$problem-1-best moved
  if (cd moved && env -i PATH="$PATH" make >../out 2>../err); then ok; else bad "$problem does not score"; fi
  hasnt out DIFFERENT
  rm -r moved
done
# the VM needs no #include; what is exported brings it
mkdir bare && cat >bare/problem.yaml <<'YAML'
summary: twice the root
entry: "int twice(int a)"
judge: reference
inputs: {a: [1, 120]}
YAML
printf 'int twice(int a)\n{\n    return (int)sqrt(a);\n}\n' >bare/seed.c
printf 'int twice(int a)\n{\n    return 2 * (int)sqrt(a);\n}\n' >bare/reference.c
expect 0 run ./bare --evaluations 20 -q
expect 0 best bare-1 seed -o twice
hasnt out suspect
if gcc -Wall -Werror -c twice/program.c -o twice.o 2>err; then ok; else bad "it does not build"; fi
if (cd twice && env -i PATH="$PATH" make >../out 2>../err); then ok; else bad "it does not score"; fi
hasnt out DIFFERENT
# in rounds, with a header beside the judge; what plays another can't be scored alone
expect 0 run adam --evaluations 2 -q
expect 0 best adam-1
there runs/adam-1-best/tasks.h
mv runs/adam-1-best moved
if (cd moved && env -i PATH="$PATH" make >../out 2>../err); then ok; else bad "adam does not score"; fi
hasnt out DIFFERENT
rm -r moved
expect 0 run duel --evaluations 20 -q
expect 0 best duel-1
there runs/duel-1-best/picture.svg
has runs/duel-1-best/README.md "two programs play each other"
[ ! -e runs/duel-1-best/main.c ] || bad "a scorer of a duel"
expect 0 run circles --evaluations 40 -q
expect 0 best circles-1 seed -o seedling --json
there seedling/picture.svg
has seedling/picture.svg "<svg"
cmp -s seedling/program.c seedling/seed.c || bad "the seed is not itself"
expect 0 best circles-1 -o seedling
mkdir mine && echo precious >mine/notes
expect 2 best circles-1 -o mine
same "nothing added" "$(ls mine)" notes
expect 2 best circles-1 99999999 -o other
# a program that patch makes from the seed
cp -r seedling applied
if command -v patch >/dev/null; then
  (cd applied && patch -s seed.c changes.diff) || bad "changes.diff does not apply"
  if cmp -s applied/seed.c applied/program.c; then ok; else bad "changes.diff makes another program"; fi
fi
finish
