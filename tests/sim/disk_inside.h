/* tests/sim/disk_inside.h - what disk_sim.c and disk_image.c share. */
#pragma once
#include "tests/sim/disk_sim.h"

enum { SIM_NAME = 32, SIM_FDS = 64, SIM_SECTOR = 512, SIM_DIRFD = 1000 };

struct bytes {
	char *p;
	size_t n, cap;
};
struct sim_file {
	struct bytes now, platter;
};
struct sim_entry {
	char name[SIM_NAME];
	unsigned file;
};
struct sim_names {
	struct sim_entry v[256];
	size_t n;
};
enum sim_kind { OP_WRITE, OP_SIZE, OP_CREATE, OP_RENAME, OP_UNLINK };
struct sim_op {
	enum sim_kind kind;
	unsigned file;
	char name[SIM_NAME], to[SIM_NAME];
	uint64_t offset; /* or size */
	char *p;
	size_t n;
};
struct disk_sim {
	struct disk disk;
	struct sim_file *files;
	unsigned n_files;
	struct sim_names now, platter;
	struct sim_op *pending;
	size_t n_pending;
	int fds[SIM_FDS]; /* file number, or -1 */
	unsigned ops, crash_at, fail_at, locked;
	int fail_err, sync_err;
	bool crashed;
	uint64_t capacity;
};

static inline bool op_is_name(const struct sim_op *op)
{
	return op->kind >= OP_CREATE;
}
void sim_write(struct bytes *b, uint64_t offset, const char *p, size_t n);
void sim_resize(struct bytes *b, uint64_t size);
struct sim_entry *sim_find(struct sim_names *names, const char *name);
void sim_apply_name(struct sim_names *names, const struct sim_op *op);
