#!/bin/sh
# Finds a Python that is new enough and lets it build .venv (setup_env.py does the work).
set -eu
cd "$(dirname "$0")/.."

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    candidates=$PYTHON
else
    candidates="python3 python3.13 python3.12 python3.11 python"
fi
for candidate in $candidates; do
    # Run it, do not only look for it: a version manager's shim may exist without its Python.
    if is_new_enough "$candidate"; then
        exec "$candidate" scripts/setup_env.py
    fi
done
echo "E_PYTHON_VERSION: no Python 3.11 or newer: tried $candidates. Install one, or name it: make PYTHON=/path/to/python3 ..." >&2
exit 3
