/* tests/sim/disk_sim.c - the calls of spool/disk.h on a folder in memory. */
#include "tests/sim/disk_sim.h"

#include <fcntl.h>
#include <stdio.h>

#include "tests/sim/disk_inside.h"

void sim_resize(struct bytes *b, uint64_t size)
{
	if (size > b->cap) {
		b->cap = MAX_OF(size, b->cap * 2);
		b->p = must_resize(b->p, b->cap);
	}
	if (size > b->n)
		memset(b->p + b->n, 0, size - b->n);
	b->n = size;
}

void sim_write(struct bytes *b, uint64_t offset, const char *p, size_t n)
{
	if (offset + n > b->n)
		sim_resize(b, offset + n);
	if (n)
		memcpy(b->p + offset, p, n);
}

struct sim_entry *sim_find(struct sim_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i].name, name) == 0)
			return &names->v[i];
	return NULL;
}

static void drop_name(struct sim_names *names, const char *name)
{
	struct sim_entry *e = sim_find(names, name);

	if (e)
		*e = names->v[--names->n];
}

static void set_name(struct sim_names *names, const char *name, unsigned file)
{
	struct sim_entry *e;

	drop_name(names, name);
	assert(names->n < ARRAY_LEN(names->v));
	e = &names->v[names->n++];
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	e->file = file;
}

void sim_apply_name(struct sim_names *names, const struct sim_op *op)
{
	if (op->kind == OP_UNLINK || op->kind == OP_RENAME)
		drop_name(names, op->name);
	if (op->kind == OP_CREATE)
		set_name(names, op->name, op->file);
	if (op->kind == OP_RENAME)
		set_name(names, op->to, op->file);
}

/* Counts an operation.  0: do it; else the error to give.  *ret_torn: the power fails during it. */
static int begin(struct disk_sim *sim, bool *ret_torn)
{
	*ret_torn = false;
	if (sim->crashed)
		return -EIO;
	sim->ops++;
	if (sim->ops == sim->fail_at)
		return sim->fail_err;
	if (sim->ops == sim->crash_at) {
		sim->crashed = true;
		*ret_torn = true;
	}
	return 0;
}

static struct sim_op *promise(struct disk_sim *sim, enum sim_kind kind, unsigned file)
{
	struct sim_op *op;

	sim->pending = must_resize(sim->pending, (sim->n_pending + 1) * sizeof(*op));
	op = &sim->pending[sim->n_pending++];
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->file = file;
	return op;
}

static int new_fd(struct disk_sim *sim, int file)
{
	for (int fd = 0; fd < SIM_FDS; fd++)
		if (sim->fds[fd] < 0) {
			sim->fds[fd] = file;
			return fd;
		}
	return -EMFILE;
}

static int sim_open_dir(void *self, const char *path UNUSED)
{
	return ((struct disk_sim *)self)->crashed ? -EIO : SIM_DIRFD;
}

static int sim_open(void *self, int dirfd UNUSED, const char *name, int flags, unsigned mode UNUSED)
{
	struct disk_sim *sim = self;
	struct sim_entry *e = sim_find(&sim->now, name);
	struct sim_op *op;
	bool torn;
	int r;

	if (sim->crashed)
		return -EIO;
	if (e)
		return flags & O_EXCL ? -EEXIST : new_fd(sim, (int)e->file);
	if (!(flags & O_CREAT))
		return -ENOENT;
	r = begin(sim, &torn);
	if (r < 0)
		return r;
	sim->files = must_resize(sim->files, (sim->n_files + 1) * sizeof(*sim->files));
	memset(&sim->files[sim->n_files], 0, sizeof(*sim->files));
	op = promise(sim, OP_CREATE, sim->n_files++);
	(void)snprintf(op->name, sizeof(op->name), "%s", name);
	sim_apply_name(&sim->now, op);
	return torn ? -EIO : new_fd(sim, (int)op->file);
}

static int sim_close(void *self, int fd)
{
	struct disk_sim *sim = self;

	if (fd == SIM_DIRFD)
		return 0;
	if ((unsigned)fd + 1 == sim->locked)
		sim->locked = 0;
	sim->fds[fd] = -1;
	return 0;
}

static uint64_t used(const struct disk_sim *sim)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sim->now.n; i++)
		sum += sim->files[sim->now.v[i].file].now.n;
	return sum;
}

static int set_size(struct disk_sim *sim, int fd, uint64_t size, bool grow_only)
{
	unsigned file = (unsigned)sim->fds[fd];
	uint64_t old = sim->files[file].now.n;
	struct sim_op *op;
	bool torn;
	int r = begin(sim, &torn);

	if (r < 0)
		return r;
	if (grow_only && size <= old)
		return torn ? -EIO : 0;
	if (size > old && used(sim) + size - old > sim->capacity)
		return -ENOSPC;
	op = promise(sim, OP_SIZE, file);
	op->offset = size;
	sim_resize(&sim->files[file].now, size);
	return torn ? -EIO : 0;
}

static ssize_t sim_pwrite(void *self, int fd, const void *p, size_t n, uint64_t offset)
{
	struct disk_sim *sim = self;
	struct sim_file *f = &sim->files[sim->fds[fd]];
	struct sim_op *op;
	bool torn;
	int r = begin(sim, &torn);

	if (r < 0)
		return r;
	if (offset + n > f->now.n && used(sim) + offset + n - f->now.n > sim->capacity)
		return -ENOSPC;
	op = promise(sim, OP_WRITE, (unsigned)sim->fds[fd]);
	op->p = must_alloc(n ? n : 1);
	memcpy(op->p, p, n);
	op->n = n;
	op->offset = offset;
	sim_write(&f->now, offset, p, n);
	return torn ? -EIO : (ssize_t)n;
}

static ssize_t sim_pread(void *self, int fd, void *p, size_t n, uint64_t offset)
{
	struct disk_sim *sim = self;
	const struct bytes *b = &sim->files[sim->fds[fd]].now;

	if (sim->crashed)
		return -EIO;
	if (offset >= b->n)
		return 0;
	n = MIN_OF(n, b->n - offset);
	memcpy(p, b->p + offset, n);
	return (ssize_t)n;
}

/* The chosen pending operations go to the platter, in order; the rest stay pending. */
static void settle(struct disk_sim *sim, bool names, unsigned file)
{
	size_t kept = 0;

	for (size_t i = 0; i < sim->n_pending; i++) {
		struct sim_op *op = &sim->pending[i];
		struct bytes *b = &sim->files[op->file].platter;
		if (op_is_name(op) != names || (!names && op->file != file)) {
			sim->pending[kept++] = *op;
			continue;
		}
		if (names)
			sim_apply_name(&sim->platter, op);
		else if (op->kind == OP_WRITE)
			sim_write(b, op->offset, op->p, op->n);
		else
			sim_resize(b, op->offset);
		free(op->p);
	}
	sim->n_pending = kept;
}

static int sync_any(struct disk_sim *sim, bool names, unsigned file)
{
	bool torn;
	int r = begin(sim, &torn);

	if (r < 0 || torn)
		return r < 0 ? r : -EIO;
	if (sim->sync_err)
		return sim->sync_err;
	settle(sim, names, file);
	return 0;
}

static int sim_sync_data(void *self, int fd)
{
	struct disk_sim *sim = self;

	return sync_any(sim, false, (unsigned)sim->fds[fd]);
}

static int sim_sync_dir(void *self, int dirfd UNUSED)
{
	return sync_any(self, true, 0);
}

static int sim_allocate(void *self, int fd, uint64_t size)
{
	return set_size(self, fd, size, true);
}

static int sim_truncate(void *self, int fd, uint64_t size)
{
	return set_size(self, fd, size, false);
}

static int sim_size(void *self, int fd, uint64_t *ret)
{
	struct disk_sim *sim = self;

	*ret = sim->files[sim->fds[fd]].now.n;
	return sim->crashed ? -EIO : 0;
}

static int change_name(struct disk_sim *sim, enum sim_kind kind, const char *name, const char *to)
{
	struct sim_entry *e = sim_find(&sim->now, name);
	struct sim_op *op;
	bool torn;
	int r = begin(sim, &torn);

	if (r < 0)
		return r;
	if (!e)
		return -ENOENT;
	op = promise(sim, kind, e->file);
	(void)snprintf(op->name, sizeof(op->name), "%s", name);
	(void)snprintf(op->to, sizeof(op->to), "%s", to);
	sim_apply_name(&sim->now, op);
	return torn ? -EIO : 0;
}

static int sim_rename(void *self, int dirfd UNUSED, const char *from, const char *to)
{
	return change_name(self, OP_RENAME, from, to);
}

static int sim_unlink(void *self, int dirfd UNUSED, const char *name)
{
	return change_name(self, OP_UNLINK, name, "");
}

static int sim_each_name(void *self, int dirfd UNUSED, int (*each)(void *arg, const char *name),
			 void *arg)
{
	struct disk_sim *sim = self;
	int r = sim->crashed ? -EIO : 0;

	for (size_t i = 0; i < sim->now.n && r >= 0; i++)
		r = each(arg, sim->now.v[i].name);
	return r;
}

static int sim_free_bytes(void *self, int dirfd UNUSED, uint64_t *ret)
{
	struct disk_sim *sim = self;

	*ret = sim->capacity - MIN_OF(sim->capacity, used(sim));
	return 0;
}

static int sim_lock(void *self, int fd)
{
	struct disk_sim *sim = self;

	if (sim->locked)
		return -EAGAIN;
	sim->locked = (unsigned)fd + 1;
	return 0;
}

struct disk_sim *disk_sim_new(void)
{
	struct disk_sim *sim = must_alloc(sizeof(*sim));

	sim->disk = (struct disk){ sim,          sim_open_dir,  sim_open,       sim_close,
				   sim_pwrite,   sim_pread,     sim_sync_data,  sim_sync_dir,
				   sim_allocate, sim_truncate,  sim_size,       sim_rename,
				   sim_unlink,   sim_each_name, sim_free_bytes, sim_lock };
	memset(sim->fds, 0xff, sizeof(sim->fds));
	sim->capacity = (uint64_t)1 << 40;
	return sim;
}

struct disk_sim *disk_sim_free(struct disk_sim *sim)
{
	if (!sim)
		return NULL;
	for (size_t i = 0; i < sim->n_pending; i++)
		free(sim->pending[i].p);
	for (unsigned i = 0; i < sim->n_files; i++) {
		free(sim->files[i].now.p);
		free(sim->files[i].platter.p);
	}
	free(sim->pending);
	free(sim->files);
	free(sim);
	return NULL;
}

const struct disk *disk_sim_disk(struct disk_sim *sim)
{
	return &sim->disk;
}

unsigned disk_sim_ops(const struct disk_sim *sim)
{
	return sim->ops;
}

void disk_sim_crash_at(struct disk_sim *sim, unsigned n)
{
	sim->crash_at = n;
}

bool disk_sim_crashed(const struct disk_sim *sim)
{
	return sim->crashed;
}

void disk_sim_fail_at(struct disk_sim *sim, unsigned n, int err)
{
	sim->fail_at = n;
	sim->fail_err = err;
}

void disk_sim_fail_syncs(struct disk_sim *sim, int err)
{
	sim->sync_err = err;
}

void disk_sim_capacity(struct disk_sim *sim, uint64_t bytes)
{
	sim->capacity = bytes;
}

uint64_t disk_sim_size(const struct disk_sim *sim, const char *file)
{
	struct sim_entry *e = sim_find((struct sim_names *)&sim->now, file);

	return e ? sim->files[e->file].now.n : 0;
}

void disk_sim_flip(struct disk_sim *sim, const char *file, uint64_t offset, unsigned bit)
{
	struct sim_entry *e = sim_find(&sim->now, file);

	assert(e && offset < sim->files[e->file].now.n);
	sim->files[e->file].now.p[offset] ^= (char)(1u << bit);
}

void disk_sim_each(const struct disk_sim *sim, void (*each)(void *arg, const char *file), void *arg)
{
	for (size_t i = 0; i < sim->now.n; i++)
		each(arg, sim->now.v[i].name);
}
