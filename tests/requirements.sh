#!/usr/bin/env bash
# What the browser tests need and pip cannot install: a Chromium. Debian and Ubuntu, as root.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

if have chromium || have chromium-browser || have google-chrome; then
    exit 0
fi
if ! have apt-get; then
    echo "requirements: no apt-get here; install Chromium by hand for the browser tests" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "requirements: run this as root, or install Chromium by hand" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core
