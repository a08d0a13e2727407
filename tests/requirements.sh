#!/usr/bin/env bash
# What the tests need and pip cannot install: a Chromium for those in a browser, nginx for those
# behind a proxy. Debian and Ubuntu, as root.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

packages=()
have chromium || have chromium-browser || have google-chrome || packages+=(chromium fonts-dejavu-core)
have nginx || packages+=(nginx)
if [ "${#packages[@]}" -eq 0 ]; then
    exit 0
fi
if ! have apt-get; then
    echo "requirements: no apt-get here; install by hand: ${packages[*]}" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "requirements: run this as root, or install by hand: ${packages[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "${packages[@]}"
