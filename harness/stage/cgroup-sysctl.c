/* SPDX-License-Identifier: MIT */
/*
 * No sysctl is written from the cgroups of a stage. /proc/sys of the sandbox is read-only, but a unit with
 * ProtectProc= gets a /proc of its own, without that mount, and to root every sysctl of the machine is writable in
 * it.
 *
 * Source: kernel, Documentation/bpf/prog_cgroup_sysctl.rst; bpf(2).
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "stage/cgroup-tree.h"

static int bpf_call(int command, union bpf_attr *attributes) {
        long r = syscall(SYS_bpf, command, attributes, sizeof(*attributes));

        return r < 0 ? -errno : (int) r;
}

/* return !(context->write & 1); 0 makes the write fail with EPERM. */
static int load_program(int *ret_fd) {
        static const struct bpf_insn program[] = {
                { .code = BPF_LDX | BPF_MEM | BPF_W,
                                .dst_reg = BPF_REG_0,
                                .src_reg = BPF_REG_1, /* offset of write */
                                .off = 0 },
                { .code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
                { .code = BPF_ALU64 | BPF_XOR | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
                { .code = BPF_JMP | BPF_EXIT },
        };
        union bpf_attr attributes = {
                .prog_type = BPF_PROG_TYPE_CGROUP_SYSCTL,
                .expected_attach_type = BPF_CGROUP_SYSCTL,
                .insns = (uint64_t) (uintptr_t) program,
                .insn_cnt = ELEMENTS_OF(program),
                .license = (uint64_t) (uintptr_t) "MIT",
        };
        int fd = bpf_call(BPF_PROG_LOAD, &attributes);

        if (fd < 0)
                return fd;
        *ret_fd = fd; /* close-on-exec, as all of them are */
        return 0;
}

int cgroup_trees_forbid_sysctls(const CgroupHierarchies *hierarchies, const char *mark) {
        const CgroupHierarchy *unified = cgroup_hierarchies_find(hierarchies, "");
        CLEANUP_CLOSE int program_fd = -EBADF;
        CLEANUP_CLOSE int folder_fd = -EBADF;
        CLEANUP_FREE char *path = NULL;
        int r;

        if (!unified)
                return -EOPNOTSUPP;
        if (asprintf(&path, "%s/%s", unified->mount_path, mark) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        folder_fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (folder_fd < 0)
                return -errno;
        r = load_program(&program_fd);
        if (r < 0)
                return r;

        union bpf_attr attributes = {
                .target_fd = (uint32_t) folder_fd,
                .attach_bpf_fd = (uint32_t) program_fd,
                .attach_type = BPF_CGROUP_SYSCTL,
                .attach_flags = BPF_F_ALLOW_MULTI, /* a newer systemd has one of its own below */
        };
        return bpf_call(BPF_PROG_ATTACH, &attributes);
}
