# SPDX-License-Identifier: MIT
"""Changes the last bytes of /var/lib/x.db without a pause, in both halves of any reading of it."""
import itertools
import os

fd = os.open("/var/lib/x.db", os.O_WRONLY)
end = os.fstat(fd).st_size
for i in itertools.count():
    os.pwrite(fd, i.to_bytes(8, "little"), end - 8)
    if i == 0:
        open("/run/writing", "w").close()
