/* mta/token/rotated.c - a list by tenant and number, and its file. */
#include "mta/token/rotated.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "spool/beside.h"

struct rotated_token {
	struct list link;
	struct map_link map_link;
	uint64_t tenant, id, origin;
	char *refresh;
};
struct rotated {
	const struct disk *disk;
	int dirfd;
	pthread_mutex_t writing; /* taken before the other one */
	pthread_mutex_t lock;    /* of what follows */
	struct list all;
	struct map by_route;
};

static uint64_t hash_of(uint64_t tenant, uint64_t id)
{
	return hash_mix(hash_mix(id + 1) ^ tenant);
}

static void wipe_text(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

static void wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

/* ---- what is kept ------------------------------------------------------------------------ */

static struct rotated_token *find(struct rotated *r, uint64_t tenant, uint64_t id)
{
	for (struct map_link *l = map_find(&r->by_route, hash_of(tenant, id)); l;
	     l = map_find_next(l)) {
		struct rotated_token *t = container_of(l, struct rotated_token, map_link);
		if (t->tenant == tenant && t->id == id)
			return t;
	}
	return NULL;
}

static void set(struct rotated *r, uint64_t tenant, uint64_t id, uint64_t origin,
		struct slice refresh)
{
	struct rotated_token *t = find(r, tenant, id);

	if (!t) {
		t = must_alloc(sizeof(*t));
		t->tenant = tenant;
		t->id = id;
		list_push(&r->all, &t->link);
		map_insert(&r->by_route, &t->map_link, hash_of(tenant, id));
	}
	wipe_text(t->refresh);
	t->refresh = must_copy(refresh);
	t->origin = origin;
}

static void drop(struct rotated *r, struct rotated_token *t)
{
	map_remove(&r->by_route, &t->map_link);
	list_remove(&t->link);
	wipe_text(t->refresh);
	free(t);
}

/* ---- the file ---------------------------------------------------------------------------- */

static bool take_hex(struct slice *line, uint64_t *ret)
{
	return hex_u64(slice_take(line, ' '), ret) == 0;
}

static bool read_line(struct rotated *r, struct slice line)
{
	uint64_t tenant, id, origin;

	if (!take_hex(&line, &tenant) || !take_hex(&line, &id) || !take_hex(&line, &origin) ||
	    !line.n || line.n > AUTH_SECRET_MAX || memchr(line.p, '\0', line.n))
		return false;
	set(r, tenant, id, origin, line);
	return true;
}

static bool read_all(struct rotated *r, struct slice text)
{
	bool whole = true;

	while (text.n)
		whole = read_line(r, slice_take(&text, '\n')) && whole;
	return whole;
}

/* Under `writing`. */
static int save(struct rotated *r)
{
	const struct rotated_token *t;
	struct buf out = { 0 };
	size_t n = 1;
	int err;

	pthread_mutex_lock(&r->lock);
	list_each(&r->all, t, const struct rotated_token, link)
		n += strlen(t->refresh) + 3 * 17 + 1;
	err = buf_reserve(&out, n); /* at once: a buffer that grows leaves copies */
	if (err == 0)
		list_each(&r->all, t, const struct rotated_token, link)
			buf_putf(&out, "%" PRIx64 " %" PRIx64 " %" PRIx64 " %s\n", t->tenant, t->id,
				 t->origin, t->refresh);
	pthread_mutex_unlock(&r->lock);
	if (err == 0)
		err = beside_write(r->disk, r->dirfd, ROTATED_FILE, buf_data(&out));
	wipe(&out);
	return err;
}

/* ---- asked and told ---------------------------------------------------------------------- */

uint64_t rotated_origin(const char *url, struct slice client, struct slice refresh)
{
	struct buf all = { 0 };
	uint64_t origin;

	buf_putf(&all, "%s\n%.*s\n", url, (int)client.n, client.p);
	buf_put(&all, refresh);
	origin = hash_stable(buf_data(&all));
	wipe(&all);
	return origin;
}

bool rotated_get(struct rotated *r, const struct smart_route *route, uint64_t origin,
		 struct buf *out)
{
	const struct rotated_token *t;
	bool got;

	pthread_mutex_lock(&r->lock);
	t = find(r, route->tenant, route->id);
	got = t && t->origin == origin;
	if (got)
		buf_put(out, slice_str(t->refresh));
	pthread_mutex_unlock(&r->lock);
	return got;
}

int rotated_put(struct rotated *r, uint64_t tenant, uint64_t id, uint64_t origin,
		struct slice refresh)
{
	int err;

	pthread_mutex_lock(&r->writing);
	pthread_mutex_lock(&r->lock);
	set(r, tenant, id, origin, refresh);
	pthread_mutex_unlock(&r->lock);
	err = save(r);
	pthread_mutex_unlock(&r->writing);
	return err;
}

int rotated_keep(struct rotated *r, const struct smart_fed *there)
{
	struct rotated_token *t;
	bool dropped = false;
	int err;

	pthread_mutex_lock(&r->writing);
	pthread_mutex_lock(&r->lock);
	list_each(&r->all, t, struct rotated_token, link)
		if (!smart_fed_has(there, t->tenant, t->id)) {
			drop(r, t);
			dropped = true;
		}
	pthread_mutex_unlock(&r->lock);
	err = dropped ? save(r) : 0;
	pthread_mutex_unlock(&r->writing);
	return err;
}

/* ---- life -------------------------------------------------------------------------------- */

struct rotated *rotated_new(const struct disk *d, int dirfd, bool *ret_lost)
{
	struct rotated *r = must_alloc(sizeof(*r));
	struct buf text = { 0 };
	int err;

	r->disk = d;
	r->dirfd = dirfd;
	pthread_mutex_init(&r->writing, NULL);
	pthread_mutex_init(&r->lock, NULL);
	list_init(&r->all);
	map_init(&r->by_route);
	err = beside_read(d, dirfd, ROTATED_FILE, ROTATED_FILE_MAX, &text);
	*ret_lost = err < 0 ? err != -ENOENT : !read_all(r, buf_data(&text));
	wipe(&text);
	return r;
}

struct rotated *rotated_free(struct rotated *r)
{
	struct rotated_token *t;

	if (!r)
		return NULL;
	list_each(&r->all, t, struct rotated_token, link)
		drop(r, t);
	map_free(&r->by_route);
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->writing);
	free(r);
	return NULL;
}
