# What the suites in Go share. Sourced, after lib.sh, in the suite's folder.
command -v go > /dev/null || { echo "needs go"; exit 77; }
export GOMODCACHE=$CLIENTS_HOME/go/mod GOCACHE=$CLIENTS_HOME/go/build GOTOOLCHAIN=local GOFLAGS=-buildvcs=false

# go_suite NAME: fetches the modules, and runs the tests of this folder.
go_suite() {
  local mark
  mark=$1-$(cat go.mod go.sum | md5sum | cut -c1-8)
  once "$mark" go_modules || { echo "its modules cannot be fetched, or go is too old"; exit 77; }
  exec go test -count=1 -timeout 12m -v .
}
go_modules() { go mod download && go mod verify > /dev/null; }
