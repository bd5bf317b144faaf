/* SPDX-License-Identifier: MIT */
#include "observe/listening-sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "observe/proc-text.h"

#define UNIX_ACCEPTS 0x10000 /* __SO_ACCEPTCON, include/linux/net.h */
#define TCP_LISTEN   0x0A    /* include/net/tcp_states.h */

void listening_sockets_done(ListeningSockets *sockets) {
        FOREACH_ARRAY (socket, sockets->items, sockets->n_items)
                free(socket->name);
        free(sockets->items);
        *sockets = (ListeningSockets){ 0 };
}

static int sockets_add(ListeningSockets *sockets, uint64_t inode, const char *name) {
        ListeningSocket *grown = reallocarray(sockets->items, sockets->n_items + 1, sizeof(*grown));
        char *copy = strdup(name);

        if (grown)
                sockets->items = grown;
        if (!grown || !copy) {
                free(copy);
                return -ENOMEM;
        }
        grown[sockets->n_items++] = (ListeningSocket){ .inode = inode, .name = copy };
        return 0;
}

/* "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x" */
static int take_unix(ListeningSockets *sockets, const char *line) {
        CLEANUP_FREE char *name = NULL;
        unsigned flags;
        uint64_t inode;
        int n = 0;

        if (sscanf(line, "%*s %*s %*s %x %*s %*s %" SCNu64 "%n", &flags, &inode, &n) != 2 || !(flags & UNIX_ACCEPTS))
                return 0;
        while (line[n] == ' ')
                n++;
        if (asprintf(&name, "unix %s", line[n] ? line + n : "(unnamed)") < 0) {
                name = NULL;
                return -ENOMEM;
        }
        return sockets_add(sockets, inode, name);
}

/* " 0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 ..."; the address in the
 * machine's byte order, 32 bits at a time. */
static int take_tcp(ListeningSockets *sockets, const char *line) {
        char address[40], host[INET6_ADDRSTRLEN], name[INET6_ADDRSTRLEN + 16];
        unsigned port, tcp_state;
        uint32_t words[4];
        uint64_t inode;
        bool is_ipv6;

        if (sscanf(line, " %*[0-9]: %39[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %" SCNu64, address, &port, &tcp_state,
                            &inode) != 4 ||
                        tcp_state != TCP_LISTEN)
                return 0;
        is_ipv6 = strlen(address) == 32;
        for (unsigned i = 0; i < (is_ipv6 ? 4U : 1U); i++)
                if (sscanf(address + (size_t) 8 * i, "%8" SCNx32, &words[i]) != 1)
                        return 0;
        if (!inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, words, host, sizeof(host)))
                return 0;
        (void) snprintf(name, sizeof(name), is_ipv6 ? "tcp [%s]:%u" : "tcp %s:%u", host, port);
        return sockets_add(sockets, inode, name);
}

static int read_table(ListeningSockets *sockets, const char *path, int (*take)(ListeningSockets *, const char *)) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        char *next = NULL;
        int r;

        r = proc_read(AT_FDCWD, path, &text);
        if (r == -ENOENT || text.n_bytes == 0) /* a kernel without IPv6 */
                return 0;
        if (r < 0)
                return r;
        (void) strtok_r(text.bytes, "\n", &next); /* the heading */
        for (char *line; r >= 0 && (line = strtok_r(NULL, "\n", &next));)
                r = take(sockets, line);
        return r;
}

int listening_sockets_read(ListeningSockets *ret_sockets) {
        int r;

        *ret_sockets = (ListeningSockets){ 0 };
        r = read_table(ret_sockets, "/proc/net/unix", take_unix);
        if (r >= 0)
                r = read_table(ret_sockets, "/proc/net/tcp", take_tcp);
        if (r >= 0)
                r = read_table(ret_sockets, "/proc/net/tcp6", take_tcp);
        if (r < 0)
                listening_sockets_done(ret_sockets);
        return r;
}
