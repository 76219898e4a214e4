# What the scripts share: where the repository is, and installing what a bare
# Debian lacks. Source it; it changes nothing by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# need COMMAND PACKAGE…: installs Debian packages unless COMMAND is there.
need() {
	local command=$1
	shift
	if command -v "$command" >/dev/null 2>&1; then return; fi
	echo "Installing $* (Debian): $command is missing." >&2
	local sudo=""
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need_go() {
	command -v go >/dev/null 2>&1 || {
		echo "Go is missing: install Go 1.26 or newer (Debian's golang-go, or go.dev)." >&2
		exit 1
	}
}

# build_app bundles the staff app into web/app/dist, fetching its packages by
# the lock file when they are not there.
build_app() {
	need npm nodejs npm
	if [ ! -d web/app/node_modules ] || [ web/app/package-lock.json -nt web/app/node_modules/.package-lock.json ]; then
		(cd web/app && npm ci --no-audit --no-fund --loglevel=error)
	fi
	go run ./web/app/build
}
