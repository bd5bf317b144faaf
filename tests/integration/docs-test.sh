#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: docs-test.sh BUILD
#
# docs/manual.md and docs/scenario.schema.json are what the tables of this build say.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
failed=0
diff <("$1/agenttest" manual) docs/manual.md || {
        echo "docs/manual.md is old: agenttest manual >docs/manual.md"
        failed=1
}
diff <("$1/agenttest" schema) docs/scenario.schema.json || {
        echo "docs/scenario.schema.json is old: agenttest schema >docs/scenario.schema.json"
        failed=1
}
exit $failed
