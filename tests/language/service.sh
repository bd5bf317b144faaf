#!/bin/sh
# SPDX-License-Identifier: MIT
# A service of a few lines, without a control socket: what the language's steps and expectations are shown on.
# $IGNORE_TERM, $EXIT_STATUS, $ORPHAN and $NO_HANDLER make it misbehave.
mkdir -p /var/lib/shell
echo "{\"event\":\"started\",\"pid\":$$,\"deep\":{\"level\":2}}"
echo "<3>an error, number 17" >&2
i=0
while [ $i -lt 3 ]; do
        i=$((i + 1))
        echo "tick $i"
done
echo "content of the state" >/var/lib/shell/state
echo '{"tasks": 3, "name": "x"}' >/var/lib/shell/state.json
sqlite3 /var/lib/shell/state.db "CREATE TABLE task (id INTEGER PRIMARY KEY); INSERT INTO task VALUES (1), (2), (3);"
[ -z "$ORPHAN" ] || setsid sleep 1000 &
on_term() {
        echo "terminating"
        kill "$child"
        exit "${EXIT_STATUS:-0}"
}
# Before the traps: a child between fork and exec still has its parent's handlers, and loses a SIGTERM to them.
sleep 1000 &
child=$!
if [ -n "$IGNORE_TERM" ]; then trap '' TERM; elif [ -z "$NO_HANDLER" ]; then trap on_term TERM; fi
systemd-notify --ready
while :; do wait $child; done
