#!/usr/bin/env bash
# Debian's chromium and PostgreSQL for the tests that need them; where they cannot be installed, those skip and say so.
missing=()
command -v chromium >/dev/null || missing+=(chromium)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
[ ${#missing[@]} = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    (apt-get update && apt-get install -y --no-install-recommends "${missing[@]}") >/dev/null 2>&1 && exit 0
fi
echo "not installed: ${missing[*]}; the tests that need them will be skipped"
exit 0
