/* SPDX-License-Identifier: MIT */
#include "stage/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>

static const struct {
        int number;
        const char *name;
} dropped[] = {
        /* What is one for the whole machine: its modules, clock, power, ports, kernel log, audit, security policy. */
        { CAP_SYS_MODULE, "CAP_SYS_MODULE" },
        { CAP_SYS_TIME, "CAP_SYS_TIME" },
        { CAP_SYS_BOOT, "CAP_SYS_BOOT" },
        { CAP_SYS_RAWIO, "CAP_SYS_RAWIO" },
        { CAP_SYSLOG, "CAP_SYSLOG" },
        { CAP_WAKE_ALARM, "CAP_WAKE_ALARM" },
        { CAP_BLOCK_SUSPEND, "CAP_BLOCK_SUSPEND" },
        { CAP_MAC_ADMIN, "CAP_MAC_ADMIN" },
        { CAP_MAC_OVERRIDE, "CAP_MAC_OVERRIDE" },
        { CAP_AUDIT_CONTROL, "CAP_AUDIT_CONTROL" },
        { CAP_AUDIT_READ, "CAP_AUDIT_READ" },
        { CAP_AUDIT_WRITE, "CAP_AUDIT_WRITE" },
        { CAP_LINUX_IMMUTABLE, "CAP_LINUX_IMMUTABLE" },
        { CAP_LEASE, "CAP_LEASE" },
        { CAP_SYS_TTY_CONFIG, "CAP_SYS_TTY_CONFIG" },
        { CAP_PERFMON, "CAP_PERFMON" },
        { CAP_BPF, "CAP_BPF" },
        { CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE" },
        /* What systemd and hardened units were found to work without. Not CAP_SYS_PTRACE: PrivateUsers= together with
         * ProtectProc=invisible needs it (Debian's redis-server has both), and journald for _EXE=. */
        { CAP_MKNOD, "CAP_MKNOD" },
        { CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH" },
        { CAP_NET_ADMIN, "CAP_NET_ADMIN" },
        { CAP_SYS_NICE, "CAP_SYS_NICE" },
        { CAP_IPC_LOCK, "CAP_IPC_LOCK" },
};

int capabilities_drop(Error *reterr) {
        FOREACH_ARRAY (item, dropped, ELEMENTS_OF(dropped)) {
                /* EINVAL: a kernel older than the capability. */
                if (prctl(PR_CAPBSET_DROP, item->number, 0, 0, 0) < 0 && errno != EINVAL)
                        return error_set_errno(reterr, -errno, "cannot drop %s", item->name);
        }
        return 0;
}
