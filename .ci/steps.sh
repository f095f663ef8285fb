# What .ci/run is made of. Sourced; keeps the count, and prints it as the last line when the script ends.
passed=0
failed=0
step_log=$(mktemp)
trap close EXIT

# The last line. A script that ends early with nothing counted as failed has failed all the same.
close() {
  local status=$?
  rm -f "$step_log"
  if ((status != 0 && failed == 0)); then failed=1; fi
  echo "$passed passed, $failed failed"
}

# again COMMAND...: for what needs other machines, up to three times.
again() {
  local tries
  for tries in 1 2 3; do
    "$@" && return 0
    ((tries == 3)) || { echo "--- once more: $*" && sleep "${AGAIN_AFTER:-20}"; }
  done
  return 1
}

# step NAME COMMAND...: one check without a count of its own.
step() {
  local name=$1 began=$SECONDS
  shift
  echo "=== $name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "=== $name FAILED"
  fi
  echo "=== $name: $((SECONDS - began)) s"
}

# suite NAME COMMAND...: its last "N passed, N failed" is added. No such line, nothing passed, or a status that
# is not 0 although nothing failed, is one failure more.
suite() {
  local name=$1 began=$SECONDS status line ok=0 bad=0
  shift
  echo "=== $name"
  "$@" 2>&1 | tee "$step_log"
  status=${PIPESTATUS[0]}
  line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$step_log" | tail -n 1)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
    ok=${BASH_REMATCH[1]}
    bad=${BASH_REMATCH[2]}
  fi
  if ((bad == 0)) && { ((status != 0)) || ((ok == 0)); }; then bad=1; fi
  passed=$((passed + ok))
  failed=$((failed + bad))
  ((bad == 0)) || echo "=== $name FAILED"
  echo "=== $name: $((SECONDS - began)) s"
}
