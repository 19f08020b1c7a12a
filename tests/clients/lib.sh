# What the shell suites share. Sourced, after `set -euo pipefail`.
checks=0
failures=0

# check NAME COMMAND...: runs it and reports; a failure is counted, and shown with what was printed.
check() {
  local name=$1 out
  shift
  checks=$((checks + 1))
  if out=$("$@" 2>&1); then
    echo "ok    $name"
  else
    failures=$((failures + 1))
    echo "FAIL  $name"
    printf '%s\n' "$out" | tail -25 | sed 's/^/      /'
  fi
}

# same EXPECTED ACTUAL: fails and shows both unless they are the same text.
same() {
  [ "$1" = "$2" ] && return
  printf 'expected: %s\n     got: %s\n' "${1:0:400}" "${2:0:400}"
  return 1
}

# eventually SECONDS COMMAND...: until it succeeds, or that long.
eventually() {
  local until=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    if [ "$SECONDS" -ge "$until" ]; then "$@"; return; fi
    sleep 0.1
  done
}

finish() {
  echo "$((checks - failures)) passed, $failures failed"
  [ "$failures" -eq 0 ]
}

# once NAME COMMAND...: runs an installation unless it was completed before.
once() {
  local mark=$CLIENTS_HOME/.$1
  shift
  mkdir -p "$CLIENTS_HOME"
  [ -f "$mark" ] && return
  "$@" && touch "$mark"
}
