/* mta/credentials/file.c - the operator's file of credentials, read and put in force. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/settings.h"
#include "mta/credentials/inside.h"

static void list_free(struct credential_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		credential_unref(l->at[i]);
	free(l->at);
	*l = (struct credential_list){ 0 };
}

static void list_add(struct credential_list *l, struct credential *c)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->at = must_resize(l->at, l->cap * sizeof(struct credential *));
	}
	l->at[l->n++] = c;
}

/* What is as it was stays the same, with its proof; what this name has sent stays its own. */
static void add_line(struct credentials *c, struct credential_list *l, struct credential *fresh)
{
	struct credential *old = credentials_find_locked(c, fresh->name, false);

	if (old && strcmp(old->text, fresh->text) == 0) {
		credential_unref(fresh);
		fresh = credential_ref(old);
	} else {
		fresh->quota = old ? quota_ref(old->quota) : quota_new();
	}
	list_add(l, fresh);
}

static int read_lines(struct credentials *c, struct slice rest, struct credential_list *l,
		      const char *path, char *error)
{
	struct credential *fresh = NULL;
	const char *why = "there are too many";
	unsigned long number = 0;
	int r = 0;

	while (r >= 0 && rest.n) {
		number++;
		r = credential_line(slice_take(&rest, '\n'), &fresh, &why);
		if (r > 0)
			add_line(c, l, fresh);
		if (l->n > CREDENTIALS_MAX)
			r = E_LIMIT;
	}
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s:%lu: %s", path, number, why);
	return r < 0 ? r : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct credential *x = *(struct credential *const *)a,
				*y = *(struct credential *const *)b;
	int r = memcmp(x->name.p, y->name.p, MIN_OF(x->name.n, y->name.n));

	return r ? r : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static int check_names(struct credential_list *l, const char *path, char *error)
{
	if (l->n)
		qsort(l->at, l->n, sizeof(struct credential *), by_name);
	for (size_t i = 1; i < l->n; i++) {
		const struct slice *name = &l->at[i]->name;
		if (!slice_eq(l->at[i - 1]->name, *name))
			continue;
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: the name \"%.*s\" stands there twice",
			       path, (int)MIN_OF(name->n, (size_t)100), name->p);
		return E_CONFLICT;
	}
	return 0;
}

/* Sessions that hold one that is gone ask again by its name, and wait for the lock then. */
static void put_in_force(struct credentials *c, struct credential_list *fresh)
{
	struct credential_list old = c->all;

	pthread_rwlock_wrlock(&c->lock);
	for (size_t i = 0; i < old.n; i++) {
		atomic_store(&old.at[i]->gone, true);
		map_remove(&c->by_name, &old.at[i]->link);
	}
	for (size_t i = 0; i < fresh->n; i++) {
		atomic_store(&fresh->at[i]->gone, false);
		map_insert(&c->by_name, &fresh->at[i]->link, hash_keyed(fresh->at[i]->name));
	}
	c->all = *fresh;
	atomic_store(&c->any, fresh->n || c->by_id.count);
	pthread_rwlock_unlock(&c->lock);
	*fresh = (struct credential_list){ 0 };
	list_free(&old);
}

static int read_text(const char *path, struct buf *text, char *error)
{
	struct stat st;
	int r = stat(path, &st) < 0 ? -errno : 0;

	if (r == 0 && (st.st_mode & 07)) {
		(void)snprintf(error, OPTION_ERROR_MAX,
			       "%s: everybody on this machine may read or change it: chmod o= it",
			       path);
		return E_DENIED;
	}
	if (r == 0)
		r = file_read(path, CREDENTIALS_FILE_MAX, text);
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: %s", path, err_text(r));
	return r;
}

int credentials_load(struct credentials *c, const char *path, char *error)
{
	struct credential_list fresh = { 0 };
	struct buf text = { 0 };
	int r = *path ? read_text(path, &text, error) : 0;

	if (r >= 0)
		r = read_lines(c, buf_data(&text), &fresh, path, error);
	if (r >= 0)
		r = check_names(&fresh, path, error);
	if (r >= 0)
		put_in_force(c, &fresh);
	list_free(&fresh);
	if (text.cap)
		explicit_bzero(text.p, text.cap);
	buf_free(&text);
	return r < 0 ? r : 0;
}

void credentials_file_end(struct credentials *c)
{
	for (size_t i = 0; i < c->all.n; i++)
		map_remove(&c->by_name, &c->all.at[i]->link);
	list_free(&c->all);
}
