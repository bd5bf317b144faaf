/* SPDX-License-Identifier: MIT */
#include "observe/journal-file.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/macros.h"

/* Names and layout as in the specification; all numbers are little endian and 8-byte aligned. */
typedef struct FileHeader {
        uint8_t signature[8];
        uint32_t compatible_flags;
        uint32_t incompatible_flags;
        uint8_t state; /* 0 offline, 1 online, 2 archived */
        uint8_t reserved[7];
        sd_id128_t file_id;
        sd_id128_t machine_id;
        sd_id128_t tail_entry_boot_id;
        sd_id128_t seqnum_id;
        uint64_t header_size;
        uint64_t arena_size;
        uint64_t data_hash_table_offset;
        uint64_t data_hash_table_size;
        uint64_t field_hash_table_offset;
        uint64_t field_hash_table_size;
        uint64_t tail_object_offset;
        uint64_t n_objects;
        uint64_t n_entries;
        uint64_t tail_entry_seqnum;
        uint64_t head_entry_seqnum;
        uint64_t entry_array_offset;
} FileHeader;

typedef struct ObjectHeader {
        uint8_t type;
        uint8_t flags;
        uint8_t reserved[6];
        uint64_t size;
} ObjectHeader;

typedef struct EntryObject {
        ObjectHeader object;
        uint64_t seqnum;
        uint64_t realtime;
        uint64_t monotonic;
        sd_id128_t boot_id;
        uint64_t xor_hash;
        uint8_t items[]; /* regular: 8 bytes offset, 8 bytes hash; compact: 4 bytes offset */
} EntryObject;

typedef struct EntryArrayObject {
        ObjectHeader object;
        uint64_t next_entry_array_offset;
        uint8_t items[]; /* regular: 8 bytes offset; compact: 4 bytes */
} EntryArrayObject;

enum {
        OBJECT_DATA = 1,
        OBJECT_ENTRY = 3,
        OBJECT_ENTRY_ARRAY = 6,
};

enum {
        FLAG_COMPRESSED_XZ = 1 << 0,
        FLAG_COMPRESSED_LZ4 = 1 << 1,
        FLAG_KEYED_HASH = 1 << 2,
        FLAG_COMPRESSED_ZSTD = 1 << 3,
        FLAG_COMPACT = 1 << 4,
        KNOWN_FLAGS = FLAG_COMPRESSED_XZ | FLAG_COMPRESSED_LZ4 | FLAG_KEYED_HASH | FLAG_COMPRESSED_ZSTD |
                      FLAG_COMPACT,
};

enum {
        OBJECT_IS_COMPRESSED = 1 << 0 | 1 << 1 | 1 << 2, /* XZ, LZ4, ZSTD */
};

enum {
        DATA_PAYLOAD = 64,         /* hash and five links before it */
        DATA_PAYLOAD_COMPACT = 72, /* and the tail of its entry array */
};

static const FileHeader *file_header(const JournalFile *file) {
        return (const FileHeader *) file->bytes;
}

/* journald grows its files in steps; a mapping goes as far as the file went when it was made. */
static int file_map(JournalFile *file) {
        struct stat stat;
        void *bytes;

        if (fstat(file->fd, &stat) < 0)
                return -errno;
        if ((size_t) stat.st_size < sizeof(FileHeader))
                return -EAGAIN;
        if (file->bytes && (size_t) stat.st_size == file->n_bytes)
                return 0;

        bytes = mmap(NULL, (size_t) stat.st_size, PROT_READ, MAP_SHARED, file->fd, 0);
        if (bytes == MAP_FAILED)
                return -errno;
        if (file->bytes)
                (void) munmap((void *) file->bytes, file->n_bytes);

        file->bytes = bytes;
        file->n_bytes = (size_t) stat.st_size;
        file->device = stat.st_dev;
        file->inode = stat.st_ino;
        return 0;
}

static int file_verify_header(JournalFile *file) {
        static const uint8_t nothing[8];
        const FileHeader *header = file_header(file);
        uint32_t flags = le32toh(header->incompatible_flags);

        /* A new file is made larger first and signed afterwards. */
        if (memcmp(header->signature, nothing, sizeof(nothing)) == 0)
                return -EAGAIN;
        if (memcmp(header->signature, "LPKSHHRH", 8) != 0)
                return -EBADMSG;
        if (flags & ~(uint32_t) KNOWN_FLAGS)
                return -EPROTONOSUPPORT;
        if (le64toh(header->header_size) < sizeof(FileHeader))
                return -EBADMSG;

        file->is_compact = flags & FLAG_COMPACT;
        return 0;
}

DEFINE_CLEANUP(JournalFile, journal_file_free)

int journal_file_open(int folder_fd, const char *name, JournalFile **ret_file) {
        CLEANUP(journal_file_free_p) JournalFile *file = calloc(1, sizeof(*file));
        int r;

        if (!file)
                return -ENOMEM;
        file->fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (file->fd < 0)
                return -errno;
        file->name = strdup(name);
        if (!file->name)
                return -ENOMEM;
        r = file_map(file);
        if (r < 0)
                return r;
        r = file_verify_header(file);
        if (r < 0)
                return r;

        *ret_file = TAKE_PTR(file);
        return 0;
}

JournalFile *journal_file_free(JournalFile *file) {
        if (!file)
                return NULL;

        if (file->bytes)
                (void) munmap((void *) file->bytes, file->n_bytes);
        close_p(&file->fd);
        free(file->name);
        free(file);
        return NULL;
}

/* The count first: a line that comes between the two is read once more, and then known by its number. */
uint64_t journal_file_skip(JournalFile *file) {
        const FileHeader *header = file_header(file);

        file->n_read = le64toh(__atomic_load_n(&header->n_entries, __ATOMIC_ACQUIRE));
        return le64toh(__atomic_load_n(&header->tail_entry_seqnum, __ATOMIC_ACQUIRE));
}

sd_id128_t journal_file_seqnum_id(const JournalFile *file) {
        return file_header(file)->seqnum_id;
}

/* The object at @offset, at least @min_bytes long; NULL where the file is damaged. */
static const ObjectHeader *file_object(const JournalFile *file, uint64_t offset, uint8_t type, size_t min_bytes) {
        const ObjectHeader *object;
        uint64_t size;

        if (offset % 8 != 0 || offset < sizeof(FileHeader) || offset > file->n_bytes - sizeof(ObjectHeader))
                return NULL;
        object = (const ObjectHeader *) (file->bytes + offset);
        size = le64toh(object->size);
        if (object->type != type || size < min_bytes || size > file->n_bytes - offset)
                return NULL;
        return object;
}

static uint64_t read_offset(const uint8_t *items, size_t i, size_t stride) {
        if (stride == 4) {
                uint32_t narrow;

                memcpy(&narrow, items + i * 4, sizeof(narrow));
                return le32toh(narrow);
        }

        uint64_t wide;

        memcpy(&wide, items + i * stride, sizeof(wide));
        return le64toh(wide);
}

/* Makes sure the mapping covers all that the header speaks of. */
static int file_follow_growth(JournalFile *file) {
        const FileHeader *header = file_header(file);
        uint64_t end = le64toh(header->header_size) + le64toh(header->arena_size);

        if (end <= file->n_bytes)
                return 0;
        return file_map(file);
}

/* Finds the offset of the entry number n_read by going on in the chain of entry arrays. */
static int file_next_offset(JournalFile *file, uint64_t *ret_offset) {
        size_t stride = file->is_compact ? 4 : 8;

        if (file->array_offset == 0)
                file->array_offset = le64toh(file_header(file)->entry_array_offset);

        for (;;) {
                const EntryArrayObject *array = (const EntryArrayObject *) file_object(
                                file, file->array_offset, OBJECT_ENTRY_ARRAY, sizeof(EntryArrayObject));
                uint64_t n_items, next;

                if (!array)
                        return -EBADMSG;
                n_items = (le64toh(array->object.size) - sizeof(EntryArrayObject)) / stride;
                if (file->n_read - file->n_array_before < n_items) {
                        *ret_offset = read_offset(array->items, file->n_read - file->n_array_before, stride);
                        return 0;
                }

                next = le64toh(array->next_entry_array_offset);
                /* The chain only goes forward, or a damaged file could lead us in a circle. */
                if (next <= file->array_offset)
                        return -EBADMSG;
                file->n_array_before += n_items;
                file->array_offset = next;
        }
}

int journal_file_peek(JournalFile *file, JournalEntry *ret_entry) {
        const EntryObject *object;
        uint64_t n_entries, offset;
        int r;

        /* journald writes an entry and what it points to, and only then counts it (journal_file_link_entry()). */
        n_entries = le64toh(__atomic_load_n(&file_header(file)->n_entries, __ATOMIC_ACQUIRE));
        if (file->n_read >= n_entries)
                return 0;

        r = file_follow_growth(file);
        if (r < 0)
                return r;
        r = file_next_offset(file, &offset);
        if (r < 0)
                return r;
        object = (const EntryObject *) file_object(file, offset, OBJECT_ENTRY, sizeof(EntryObject));
        if (!object)
                return -EBADMSG;

        *ret_entry = (JournalEntry){
                .file = file,
                .offset = offset,
                .n_items = (le64toh(object->object.size) - sizeof(EntryObject)) / (file->is_compact ? 4 : 16),
                .seqnum = le64toh(object->seqnum),
                .realtime_usec = le64toh(object->realtime),
                .monotonic_usec = le64toh(object->monotonic),
                .boot_id = object->boot_id,
                .xor_hash = le64toh(object->xor_hash),
        };
        return 1;
}

void journal_file_advance(JournalFile *file) {
        file->n_read++;
}

const char *journal_entry_field(
                const JournalEntry *entry, const char *name, size_t *ret_n_bytes, bool *ret_compressed) {
        const JournalFile *file = entry->file;
        const uint8_t *items = ((const EntryObject *) (file->bytes + entry->offset))->items;
        size_t stride = file->is_compact ? 4 : 16;
        size_t payload = file->is_compact ? DATA_PAYLOAD_COMPACT : DATA_PAYLOAD;
        size_t n_name = strlen(name);

        for (size_t i = 0; i < entry->n_items; i++) {
                uint64_t offset = read_offset(items, i, stride);
                const ObjectHeader *object = file_object(file, offset, OBJECT_DATA, payload);
                const char *text;
                size_t n_text;

                if (!object)
                        continue;
                if (object->flags & OBJECT_IS_COMPRESSED) {
                        *ret_compressed = true;
                        continue;
                }
                text = (const char *) object + payload;
                n_text = le64toh(object->size) - payload;
                if (n_text > n_name && text[n_name] == '=' && memcmp(text, name, n_name) == 0) {
                        *ret_n_bytes = n_text - n_name - 1;
                        return text + n_name + 1;
                }
        }
        return NULL;
}
