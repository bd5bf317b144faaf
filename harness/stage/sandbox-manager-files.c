/* SPDX-License-Identifier: MIT */
/* What systemd finds on the stage beside the scenario's own files, and what it does not. See docs/sandbox.md. */
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "stage/rootless.h"
#include "stage/sandbox.h"

/* Earlier ones win. Source: systemd.unit(5), "System Unit Search Path". /run is fresh anyway. */
static const char *const manager_folders[] = { "/etc/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd",
        "/lib/systemd" };

/* Targets every ordinary unit pulls in: with what hangs on them the first start would boot half a machine. */
static const char *const emptied_targets[] = { "sysinit", "basic", "sockets", "timers", "paths", "slices", "local-fs",
        "remote-fs", "swap" };

static int hide_below(SandboxRoot *root, const char *folder, const char *name, Error *reterr) {
        CLEANUP_FREE char *path = NULL;

        if (asprintf(&path, "%s/%s", folder, name) < 0) {
                path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        return sandbox_root_hide(root, path, reterr);
}

static int hide_dependencies(SandboxRoot *root, const char *folder, const char *target, Error *reterr) {
        static const char *const kinds[] = { "wants", "requires", "upholds", "d" };
        int r = 0;

        FOREACH_ARRAY (kind, kinds, ELEMENTS_OF(kinds)) {
                char name[64];

                (void) snprintf(name, sizeof(name), "system/%s.target.%s", target, *kind);
                if (r >= 0)
                        r = hide_below(root, folder, name, reterr);
        }
        return r;
}

int sandbox_hide_manager_folders(SandboxRoot *root, Error *reterr) {
        static const char *const generators[] = { "system-generators", "system-environment-generators" };
        int r;

        /* The host's journal would be read as this run's. */
        r = sandbox_root_hide(root, "/var/log/journal", reterr);
        FOREACH_ARRAY (folder, manager_folders, ELEMENTS_OF(manager_folders)) {
                FOREACH_ARRAY (name, generators, ELEMENTS_OF(generators))
                        if (r >= 0)
                                r = hide_below(root, *folder, *name, reterr);
                FOREACH_ARRAY (target, emptied_targets, ELEMENTS_OF(emptied_targets))
                        if (r >= 0)
                                r = hide_dependencies(root, *folder, *target, reterr);
        }
        return r;
}

static int place_text(int root_fd, const char *path, const char *text, Error *reterr) {
        const StageFile file = { .path = path, .content = text, .n_content_bytes = strlen(text) };

        return sandbox_place_file(root_fd, &file, reterr);
}

/* A per cent sign begins a specifier. Source: systemd.unit(5), "Specifiers". */
static void append_unit_name(Text *text, const char *name) {
        for (const char *at = name; *at; at++) {
                if (*at == '%')
                        text_append(text, "%");
                text_append_bytes(text, at, 1);
        }
}

/*
 * A unit that ended well is unloaded at once, and its exit facts with it, unless a loaded unit refers to it. Ours
 * does, for as long as it is active, which is always: RefUnit and AddRef are refused on the private bus.
 */
static int place_target(const Sandbox *sandbox, int root_fd, Error *reterr) {
        const StageRequest *request = sandbox->request;
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, "[Unit]\n"
                           "Description=Stage of an agenttest scenario\n"
                           "DefaultDependencies=no\n"
                           "AllowIsolate=yes\n"
                           "Requires=systemd-journald.service\n"
                           "After=systemd-journald.service\n");
        FOREACH_ARRAY (unit, request->pinned_units, request->n_pinned_units) {
                text_append(&text, "After=");
                append_unit_name(&text, *unit);
                text_append(&text, "\n");
        }
        if (text.is_broken)
                return error_set(reterr, -ENOMEM, "out of memory");
        return place_text(root_fd, "/run/systemd/system/agenttest.target", text_get(&text), reterr);
}

/* The host's would let readers take the stage for the host. The form is that of a random UUID. Source: machine-id(5).
 */
static int place_machine_id(int root_fd, Error *reterr) {
        unsigned char bytes[16];
        char text[2 * sizeof(bytes) + 2] = "";

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
                return error_set_errno(reterr, -errno, "cannot get random bytes for the machine id");
        bytes[6] = (unsigned char) ((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (unsigned char) ((bytes[8] & 0x3f) | 0x80);
        for (size_t i = 0; i < sizeof(bytes); i++)
                (void) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
        text[2 * sizeof(bytes)] = '\n';
        return place_text(root_fd, "/etc/machine-id", text, reterr);
}

int sandbox_place_manager_files(const Sandbox *sandbox, int root_fd, Error *reterr) {
        static const struct {
                const char *path;
                const char *text;
        } files[] = {
                { "/etc/systemd/system/sysinit.target", "[Unit]\n"
                                                        "Description=System Initialization (done by agenttest)\n" },
                /* A tmpfs on /tmp would hide what the host has there: the scenario's own folder, for one. */
                { "/etc/systemd/system/tmp.mount", "" },
                { "/run/systemd/journald.conf.d/zzzz-agenttest.conf", "[Journal]\n"
                                                                      "Storage=volatile\n"
                                                                      "RateLimitIntervalSec=0\n"
                                                                      "RateLimitBurst=0\n"
                                                                      "Compress=no\n"
                                                                      "RuntimeMaxUse=16G\n"
                                                                      "RuntimeKeepFree=1M\n"
                                                                      "RuntimeMaxFileSize=64M\n"
                                                                      "RuntimeMaxFiles=10000\n"
                                                                      "MaxRetentionSec=0\n"
                                                                      "MaxFileSec=0\n"
                                                                      "MaxLevelStore=debug\n"
                                                                      "ReadKMsg=no\n"
                                                                      "Audit=no\n"
                                                                      "ForwardToSyslog=no\n"
                                                                      "ForwardToKMsg=no\n"
                                                                      "ForwardToConsole=no\n"
                                                                      "ForwardToWall=no\n" },
                { "/run/systemd/system.conf.d/zzzz-agenttest.conf", "[Manager]\n"
                                                                    "DefaultCPUAccounting=yes\n"
                                                                    "DefaultMemoryAccounting=yes\n"
                                                                    "DefaultTasksAccounting=yes\n"
                                                                    "RuntimeWatchdogSec=off\n"
                                                                    "RebootWatchdogSec=off\n" },
        };
        int r;

        r = place_machine_id(root_fd, reterr);
        /* The host's is closed to an ordinary user, and systemd locks it to give a unit a DynamicUser=. */
        if (r >= 0 && rootless_is_entered())
                r = place_text(root_fd, "/etc/.pwd.lock", "", reterr);
        FOREACH_ARRAY (file, files, ELEMENTS_OF(files))
                if (r >= 0)
                        r = place_text(root_fd, file->path, file->text, reterr);
        return r < 0 ? r : place_target(sandbox, root_fd, reterr);
}
