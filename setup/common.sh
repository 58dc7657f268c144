# shellcheck shell=bash
# Sourced by every script in this folder: where things are kept, and how a missing tool is got.
#
# Two places hold what is built, and nothing else is written outside the target folder:
#
#   TARGET   ${CARGO_TARGET_DIR:-target}   what belongs to this checkout: cargo's output, the
#            notebook copy of the library (TARGET/notebook), logs of the last `make test`
#   CACHE    ${TRADEWIND_CACHE:-${XDG_CACHE_HOME:-~/.cache}/tradewind}   tools that any checkout
#            can use: the notebook kernel, cargo-nextest, the Python environment. Each is in a
#            folder named after its version, so a new version never meets an old one's files.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# A cargo installed by rustup but not yet on the path (a shell opened before the installation).
if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-${HOME:-/nonexistent}/.cargo}/bin/cargo" ]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

CACHE=${TRADEWIND_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/tradewind}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
mkdir -p "$TARGET"
TARGET=$(cd "$TARGET" && pwd)
export CARGO_TARGET_DIR=$TARGET
# shellcheck disable=SC2034  # used by the scripts that source this file
NOTEBOOK=$TARGET/notebook

# The features that tests, lints and notebooks are built with (need_features); the binary of `make demo` has the default ones.
# shellcheck disable=SC2034
FEATURES=(--features full)

# shellcheck disable=SC2034
EVCXR_VERSION=0.22.0
# shellcheck disable=SC2034
NEXTEST_VERSION=0.9.143

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 1
}

# unavailable WHY: ends with a status of its own, which tests read as "skipped", when something that is
# not ours could not be installed.
UNAVAILABLE=69
unavailable() {
    say "$*"
    exit $UNAVAILABLE
}

# as_root COMMAND...: run it as root, directly or by sudo without a question; 1 if neither works.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# debian_packages PACKAGE...: install with apt where there is one; 1 if that cannot be done.
debian_packages() {
    command -v apt-get >/dev/null || return 1
    say "installing from the system's packages: $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2 </dev/null ||
        { as_root apt-get update >&2 </dev/null &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2 </dev/null; }
}

# version_at_least HAVE WANTED
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

need_rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    command -v cargo >/dev/null || die "cargo is not installed. Get Rust $wanted or newer from https://rustup.rs, open a new shell and try again."
    have=$(rustc --version | cut -d' ' -f2)
    version_at_least "$have" "$wanted" || die "rustc is $have, and $wanted or newer is needed: run 'rustup update stable' and try again."
    if ! command -v cc >/dev/null; then
        debian_packages gcc libc6-dev ||
            die "no C compiler (cc) was found, and it could not be installed. Install one (Debian: apt-get install gcc libc6-dev; macOS: xcode-select --install) and try again."
    fi
}

# need_component NAME: a part of the Rust toolchain (rustfmt, clippy, rust-src).
need_component() {
    if ! command -v rustup >/dev/null; then
        # A toolchain from elsewhere than rustup: look for the part itself.
        case $1 in
            rust-src) [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] ;;
            *) command -v "cargo-${1#rust}" >/dev/null ;;
        esac
        return
    fi
    rustup component list --installed 2>/dev/null | grep -q "^$1" || {
        say "installing the Rust component $1"
        rustup component add "$1" >&2
    }
}

# cargo_tool PACKAGE VERSION PROGRAM: path of a program built from crates.io into the cache.
cargo_tool() {
    local root=$CACHE/$1-$2
    if [ ! -x "$root/bin/$3" ]; then
        say "building $1 $2 into $root (once)"
        # A target folder of its own: the project's would grow by it, and it is not needed again.
        CARGO_TARGET_DIR="$CACHE/build-$1-$2" cargo install --quiet --locked "$1" --version "$2" --root "$root" >&2 </dev/null || return 1
        rm -rf "$CACHE/build-$1-$2"
    fi
    printf '%s\n' "$root/bin/$3"
}

# What looks for barriers on a page (accessibility).
# shellcheck disable=SC2034
AXE=axe-core@4.14.1

# npm_file PACKAGE@VERSION FILE: path of a file of a package, fetched once into the cache.
npm_file() {
    local folder=$CACHE/npm-${1%@*}-${1#*@}
    if [ ! -e "$folder/package/$2" ]; then
        command -v npm >/dev/null || return 1
        rm -rf "$folder" && mkdir -p "$folder"
        (cd "$folder" && npm pack --silent "$1" >/dev/null && tar xzf ./*.tgz && rm ./*.tgz) >&2 || return 1
        [ -e "$folder/package/$2" ] || return 1
    fi
    printf '%s\n' "$folder/package/$2"
}

# python_env NAME: path of the Python in an environment holding setup/NAME.txt, made when missing.
# The folder is named after the list's hash and the Python version: a changed list makes a new one.
python_env() {
    local list=$ROOT/setup/$1.txt key dir
    command -v python3 >/dev/null || debian_packages python3 python3-venv || return 1
    key=$({ cat "$list"; python3 -c 'import sys; print(sys.version, sys.base_prefix)'; } | cksum | cut -d' ' -f1)
    dir=$CACHE/python-$1-$key
    if [ ! -e "$dir/ready" ]; then
        say "installing $(grep -c '==' "$list") Python packages of setup/$1.txt into $dir (once)"
        rm -rf "$dir"
        python3 -m venv "$dir" >&2 || {
            # Debian keeps the module that puts pip into an environment in a package of its own.
            debian_packages python3-venv && rm -rf "$dir" && python3 -m venv "$dir" >&2
        } || return 1
        "$dir/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list" >&2 </dev/null || return 1
        touch "$dir/ready"
    fi
    printf '%s\n' "$dir/bin/python"
}

# need_features: what FEATURES need to be built. Where XGBoost cannot be had, FEATURES are the others, and XGBOOST_MISSING says why.
XGBOOST_MISSING=
need_features() {
    if ! need_xgboost; then
        XGBOOST_MISSING="XGBoost's library could not be installed (setup/xgboost.txt)"
        say "$XGBOOST_MISSING: it is left out"
        FEATURES=(--features frames,kernel,lstm,monitor,pdf,sql,track)
    fi
}

# need_xgboost: exports XGBOOST_LIB_DIR, the folder with the library of the Python package xgboost-cpu, and where the library is
# by which its C header is read. XGBOOST_PYTHON is the Python that can load our models.
need_xgboost() {
    local site
    XGBOOST_PYTHON=$(python_env xgboost) || return 1
    site=$("$XGBOOST_PYTHON" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
    [ -e "$site/xgboost/lib/libxgboost.so" ] || return 1
    export XGBOOST_PYTHON XGBOOST_LIB_DIR=$site/xgboost/lib
    if [ -e "$site/clang/native/libclang.so" ]; then
        export LIBCLANG_PATH=$site/clang/native
        # That package has no headers of the compiler's own; the C compiler has.
        BINDGEN_EXTRA_CLANG_ARGS="-I$(cc -print-file-name=include)"
        export BINDGEN_EXTRA_CLANG_ARGS
    fi
}
