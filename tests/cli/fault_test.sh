# fault: read-only places, a full disk, two on one folder, broken runs: a clear message, no loss.
. "$LIB"
expect 1 run parity --folder /proc/elm-test --evaluations 100
has err /proc/elm-test
: >file
expect 1 run parity --folder file/run --evaluations 100
has err file/run
if [ "$(id -u)" != 0 ]; then
  mkdir locked && chmod 555 locked
  expect 1 run parity --folder locked/run --evaluations 100
  has err locked/run
  chmod 755 locked
fi

# two on one folder: the second goes away, the first is not disturbed
"$ELM" run sort --folder shared --evaluations 40000 --progress json >first 2>lines &
pid=$!
await lines '"evaluations"'
if kill -0 $pid 2>/dev/null; then
  "$ELM" run sort --folder shared --evaluations 50000 >out 2>err
  got=$?
  "$ELM" runs rm shared --yes >out2 2>err2
  removed=$?
  if kill -0 $pid 2>/dev/null; then
    same "status of the second" $got 1
    has err shared
    same "a run at work is not deleted" $removed 1
    expect 0 show shared
  else
    skip "the first run was done too early"
  fi
fi
wait $pid
same "status of the first" $? 0
has first "the best program"

# what is no run, or no longer one
mkdir broken && echo "this is no database" >broken/elm.db
expect 1 show broken
expect 1 run sort --folder broken --evaluations 100
same "it is left alone" "$(cat broken/elm.db)" "this is no database"
mkdir hollow && : >hollow/elm.db
expect 0 run parity --folder hollow --evaluations 100 -q

# a problem that changed under a run
cp -r "$TOP/problems/parity" mine
expect 0 run ./mine --folder changed --evaluations 200 -q
echo "/* changed */" >>mine/judge.c
expect 2 run ./mine --folder changed --evaluations 400
has err "changed"
rm -r mine
expect 0 show changed
expect 0 show changed best

# a disk of 1 MB
small='mount -t tmpfs -o size=1m none "$0" && cd "$0" && exec "$@"'
mkdir disk
if unshare -rm sh -c "$small" "$scratch/disk" true 2>/dev/null; then
  unshare -rm sh -c "$small"'
    ' "$scratch/disk" sh -c '
    "$ELM" run sort --folder run --evaluations 100M --level "$LEVEL" -q >out 2>err
    echo $? >"$0/full_status"; cp err "$0/full_err"
    "$ELM" show run >out 2>"$0/full_show"; echo $? >>"$0/full_status"' "$scratch"
  same "status on a full disk, and of a look at it" "$(echo $(cat full_status))" "1 0"
  has full_err full
else
  skip "no user namespaces for a small disk"
fi
finish
