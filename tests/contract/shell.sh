#!/bin/sh
# SPDX-License-Identifier: MIT
# A service that does nothing until somebody tells it to: what the channels are broken around.
trap 'echo terminating; exit 0' TERM
trap 'i=0; while [ $i -lt ${LINES_AT_USR1:-20} ]; do i=$((i + 1)); echo "line $i"; done' USR1
systemd-notify --ready
while :; do
        sleep 1000 &
        wait $!
        kill $! 2>/dev/null
done
