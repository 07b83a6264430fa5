/* tests/sim/disk_gate.c - a disk in front of a disk: each call asks its rule first. */
#include "tests/sim/disk_gate.h"

struct rule {
	bool set;
	unsigned nth, seen, met;
	int err;
	size_t bytes; /* 0: all */
	void (*meet)(void *arg);
	void *arg;
};
struct disk_gate {
	struct disk disk;
	const struct disk *behind;
	struct rule rules[DISK_CALLS];
};

/* 0: the call goes through, with at most *n bytes. */
static int pass_bytes(struct disk_gate *g, enum disk_call call, size_t *n)
{
	struct rule *rule = &g->rules[call];

	if (!rule->set || (++rule->seen != rule->nth && rule->nth != EACH_CALL))
		return 0;
	rule->met++;
	if (rule->meet) {
		struct rule all[DISK_CALLS];
		memcpy(all, g->rules, sizeof(all));
		memset(g->rules, 0, sizeof(g->rules));
		all[call].meet(all[call].arg);
		memcpy(g->rules, all, sizeof(all));
	}
	if (rule->bytes)
		*n = MIN_OF(*n, rule->bytes);
	return rule->err;
}

static int pass(struct disk_gate *g, enum disk_call call)
{
	size_t n = 0;

	return pass_bytes(g, call, &n);
}

static int gate_open_dir(void *self, const char *path)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_OPEN_DIR);

	return r < 0 ? r : g->behind->open_dir(g->behind->self, path);
}

static int gate_open(void *self, int dirfd, const char *name, int flags, unsigned mode)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_OPEN);

	return r < 0 ? r : g->behind->open(g->behind->self, dirfd, name, flags, mode);
}

static int gate_close(void *self, int fd)
{
	struct disk_gate *g = self;

	return g->behind->close(g->behind->self, fd);
}

static ssize_t gate_pwrite(void *self, int fd, const void *p, size_t n, uint64_t offset)
{
	struct disk_gate *g = self;
	int r = pass_bytes(g, CALL_PWRITE, &n);

	return r < 0 ? r : g->behind->pwrite(g->behind->self, fd, p, n, offset);
}

static ssize_t gate_pread(void *self, int fd, void *p, size_t n, uint64_t offset)
{
	struct disk_gate *g = self;
	int r = pass_bytes(g, CALL_PREAD, &n);

	return r < 0 ? r : g->behind->pread(g->behind->self, fd, p, n, offset);
}

static int gate_sync_data(void *self, int fd)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_SYNC_DATA);

	return r < 0 ? r : g->behind->sync_data(g->behind->self, fd);
}

static int gate_sync_dir(void *self, int dirfd)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_SYNC_DIR);

	return r < 0 ? r : g->behind->sync_dir(g->behind->self, dirfd);
}

static int gate_allocate(void *self, int fd, uint64_t size)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_ALLOCATE);

	return r < 0 ? r : g->behind->allocate(g->behind->self, fd, size);
}

static int gate_truncate(void *self, int fd, uint64_t size)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_TRUNCATE);

	return r < 0 ? r : g->behind->truncate(g->behind->self, fd, size);
}

static int gate_size(void *self, int fd, uint64_t *ret)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_SIZE);

	return r < 0 ? r : g->behind->size(g->behind->self, fd, ret);
}

static int gate_rename(void *self, int dirfd, const char *from, const char *to)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_RENAME);

	return r < 0 ? r : g->behind->rename(g->behind->self, dirfd, from, to);
}

static int gate_unlink(void *self, int dirfd, const char *name)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_UNLINK);

	return r < 0 ? r : g->behind->unlink(g->behind->self, dirfd, name);
}

static int gate_each_name(void *self, int dirfd, int (*each)(void *arg, const char *name),
			  void *arg)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_EACH_NAME);

	return r < 0 ? r : g->behind->each_name(g->behind->self, dirfd, each, arg);
}

static int gate_free_bytes(void *self, int dirfd, uint64_t *ret)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_FREE_BYTES);

	return r < 0 ? r : g->behind->free_bytes(g->behind->self, dirfd, ret);
}

static int gate_lock(void *self, int fd)
{
	struct disk_gate *g = self;
	int r = pass(g, CALL_LOCK);

	return r < 0 ? r : g->behind->lock(g->behind->self, fd);
}

struct disk_gate *disk_gate_new(const struct disk *behind)
{
	struct disk_gate *g = must_alloc(sizeof(*g));

	g->behind = behind;
	g->disk = (struct disk){
		g,          gate_open_dir,  gate_open,     gate_close,     gate_pwrite,
		gate_pread, gate_sync_data, gate_sync_dir, gate_allocate,  gate_truncate,
		gate_size,  gate_rename,    gate_unlink,   gate_each_name, gate_free_bytes,
		gate_lock
	};
	return g;
}

struct disk_gate *disk_gate_free(struct disk_gate *g)
{
	free(g);
	return NULL;
}

const struct disk *disk_gate_disk(struct disk_gate *g)
{
	return &g->disk;
}

void disk_gate_fail(struct disk_gate *g, enum disk_call call, unsigned nth, int err)
{
	g->rules[call] = (struct rule){ .set = true, .nth = nth, .err = err };
}

void disk_gate_short(struct disk_gate *g, enum disk_call call, unsigned nth, size_t bytes)
{
	g->rules[call] = (struct rule){ .set = true, .nth = nth, .bytes = bytes };
}

void disk_gate_meet(struct disk_gate *g, enum disk_call call, unsigned nth, void (*meet)(void *arg),
		    void *arg)
{
	g->rules[call] = (struct rule){ .set = true, .nth = nth, .meet = meet, .arg = arg };
}

void disk_gate_open(struct disk_gate *g)
{
	memset(g->rules, 0, sizeof(g->rules));
}

unsigned disk_gate_met(const struct disk_gate *g, enum disk_call call)
{
	return g->rules[call].met;
}
