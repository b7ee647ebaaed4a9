#!/usr/bin/env bash
# Debian's chromium for the browser tests; where it cannot be installed, they skip and say so.
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium) >/dev/null 2>&1
fi
command -v chromium >/dev/null || echo "chromium is not installed: the browser tests will be skipped"
exit 0
