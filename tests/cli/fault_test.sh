# fault: read-only places, a full disk, two on one folder, broken runs: a clear message, no loss.
. "${0%/*}/lib.sh"
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
mkdir disk
cat >on_disk.sh <<'END'
mount -t tmpfs -o size=1m none disk && cd disk || exit 99
"$ELM" run sort --folder run --evaluations 100M -q >/dev/null 2>../full_err
echo $? >../full_status
"$ELM" show run >../full_show 2>&1
echo $? >../show_status
END
# a cycle on one that its first model fits but not the second, and where nothing may be written; what is kept
# goes on on a larger disk
cat >cycle_on_disk.sh <<'END'
mount -t tmpfs -o size=1200k none disk && cd disk || exit 99
small="--generated functions --model random --width 32 --layers 1 --steps 2 --batch 8 --count 3 --seeds 2
  --evaluations 300 --gate 4 --held-out 2 --controls gp --rounds 1"
"$ELM" cycle $small --out c -q >/dev/null 2>../full_err
echo $? >../full_status
cp -r c ../kept
cd .. && mount -o remount,ro disk && cd disk
"$ELM" cycle $small --out c -q >/dev/null 2>../ro_err
echo $? >../ro_status
"$ELM" cycle $small --out d -q >/dev/null 2>>../ro_err
echo $? >>../ro_status
cd .. && "$ELM" cycle $small --out kept -q >more_out 2>more_err
echo $? >more_status
END
# a mount of one's own; in a user namespace of its own elm could not build its cage
if unshare -m true 2>/dev/null && unshare -m sh on_disk.sh; then
  same "status on a full disk" "$(cat full_status)" 1
  has full_err full
  has full_err "go on with"
  same "status of a look at it" "$(cat show_status)" 0
  has full_show attempts
  unshare -m sh cycle_on_disk.sh
  same "status of a cycle on a full disk" "$(cat full_status)" 1
  has full_err "No space left on device"
  same "status of a cycle where nothing may be written" "$(tr '\n' ' ' <ro_status)" "1 1 "
  has ro_err "cannot open './c/lock'"
  has ro_err "cannot make the folder 'd'"
  same "status of going on elsewhere" "$(cat more_status)" 0
  has more_out "| 1 "
else
  skip "a small disk takes root"
fi
finish
