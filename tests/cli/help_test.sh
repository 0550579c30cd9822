# help: one table gives help, documentation and completion, so all three agree.
. "${0%/*}/lib.sh"
expect 0 --help
cp out overview
expect 2
expect 0 help
same "elm help" "$(cat out)" "$(cat overview)"
expect 0 --version
has out "elm "
commands=$(sed -n '/^usage/,/^begin/s/^  \([a-z]*\)  .*/\1/p' overview)
for command in $commands; do
  expect 0 "$command" --help
  has out "usage: elm $command"
  has out "--help"
  has out examples
  cp out by_option
  expect 0 help "$command"
  same "help $command" "$(cat out)" "$(cat by_option)"
  has "$TOP/docs/commands.md" "## elm $command"
  for option in $(sed -n 's/^  --\([a-z-]*\).*/\1/p' by_option); do
    has "$TOP/docs/commands.md" "| \`--$option"
  done
done
expect 0 help --markdown
if diff -u "$TOP/docs/commands.md" out >difference; then
  ok
else
  bad "docs/commands.md is not what 'elm help --markdown' says: make docs"
fi
# what later versions bring is not there yet
for command in train cycle compare serve worker audit import; do
  expect 2 $command
done
for shell in bash zsh fish; do
  expect 0 completion $shell
  for command in $commands; do has out "$command"; done
  command -v $shell >/dev/null || { skip "no $shell to check its completion with"; continue; }
  if $shell -n out 2>err; then ok; else bad "completion for $shell is no $shell"; fi
done
expect 2 completion tcsh
for kind in operators archives selectors; do
  expect 0 list $kind
done
has out uniform
expect 2 list operetors
has err operators
finish
