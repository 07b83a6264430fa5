/* dkim/keydir.c - the folder of keys: names are checked, files replaced whole. */
#include "dkim/keydir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { NAME_MAX_BYTES = 254, PEM_FILE_MAX = 64 * 1024 };
#define KEY_SUFFIX ".pem"

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* Lower case, and no leading, trailing or double dot: never ".", ".." or a path. */
static int clean_name(struct slice s, char *ret)
{
	if (s.n == 0 || s.n >= NAME_MAX_BYTES || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return E_SYNTAX;
	for (size_t i = 0; i < s.n; i++) {
		ret[i] = ascii_lower(s.p[i]);
		if (!is_name_byte(ret[i]) || (ret[i] == '.' && ret[i - 1] == '.'))
			return E_SYNTAX;
	}
	ret[s.n] = '\0';
	return 0;
}

static int domain_path(const char *dir, struct slice domain, char *path)
{
	char name[NAME_MAX_BYTES];
	int r = clean_name(domain, name), n;

	if (r < 0)
		return r;
	n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int key_path(const char *folder, struct slice selector, char *path)
{
	char name[NAME_MAX_BYTES];
	int r = clean_name(selector, name), n;

	if (r < 0)
		return r;
	/* file_write_atomic() adds ".tmp". */
	if (strlen(name) + strlen(KEY_SUFFIX ".tmp") > NAME_MAX)
		return -ENAMETOOLONG;
	n = snprintf(path, PATH_MAX, "%s/%s" KEY_SUFFIX, folder, name);
	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static void wipe(struct buf *b)
{
	if (b->p)
		OPENSSL_cleanse(b->p, b->cap);
	buf_free(b);
}

static int load_file(const char *folder, struct slice domain, struct slice selector,
		     struct sign_key **ret)
{
	char path[PATH_MAX];
	struct stat st;
	struct buf pem;
	int r = key_path(folder, selector, path);

	if (r < 0)
		return r;
	if (stat(path, &st) < 0)
		return -errno;
	if (st.st_mode & (S_IWGRP | S_IRWXO))
		return E_DENIED;
	buf_init(&pem, 0);
	/* Room for all of it at once: a buffer that grows would leave copies of the
	 * key in memory. */
	r = buf_reserve(&pem, PEM_FILE_MAX + 4096);
	if (r == 0)
		r = file_read(path, PEM_FILE_MAX, &pem);
	if (r == 0)
		r = sign_key_load(ret, buf_data(&pem), domain, selector);
	wipe(&pem);
	return r;
}

const char *keydir_reason(int err)
{
	return err == E_DENIED ? "a key file can be read or changed by others: chmod 600 it"
			       : err_text(err);
}

static int is_key_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name), suffix = strlen(KEY_SUFFIX);

	return e->d_name[0] != '.' && n > suffix && strcmp(e->d_name + n - suffix, KEY_SUFFIX) == 0;
}

static void free_names(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void free_keys(struct sign_key **keys, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		keys[i] = sign_key_free(keys[i]);
}

int keydir_load(const char *dir, struct slice domain, struct sign_key **keys, unsigned max,
		unsigned *ret_n)
{
	char folder[PATH_MAX], name[NAME_MAX_BYTES];
	struct dirent **names;
	unsigned loaded = 0;
	int r = domain_path(dir, domain, folder), n;

	if (r < 0)
		return r;
	r = clean_name(domain, name);
	if (r < 0)
		return r;
	n = scandir(folder, &names, is_key_file, alphasort);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		*ret_n = 0;
		return 0;
	}
	if (n < 0)
		return -errno;
	if ((unsigned)n > max)
		r = E_LIMIT;
	for (int i = 0; i < n && r == 0; i++) {
		struct slice selector = slice_str(names[i]->d_name);

		selector.n -= strlen(KEY_SUFFIX);
		r = load_file(folder, slice_str(name), selector, &keys[loaded]);
		loaded += r == 0;
	}
	free_names(names, n);
	if (r < 0)
		free_keys(keys, loaded);
	else
		*ret_n = loaded;
	return r;
}

static int sync_folder(const char *path)
{
	OWNED_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int keydir_store(const char *dir, struct slice domain, struct slice selector, struct slice pem)
{
	OWNED(sign_key) probe = NULL;
	char folder[PATH_MAX], path[PATH_MAX];
	int r = domain_path(dir, domain, folder);

	if (r == 0)
		r = key_path(folder, selector, path);
	if (r == 0)
		r = sign_key_load(&probe, pem, domain, selector);
	if (r == 0)
		r = file_make_dirs(folder, 0700);
	if (r == 0)
		r = sync_folder(dir); /* the domain's folder may be new */
	if (r == 0)
		r = file_write_atomic(path, pem, 0600);
	return r;
}

int keydir_remove(const char *dir, struct slice domain, struct slice selector)
{
	char folder[PATH_MAX], path[PATH_MAX];
	int r = domain_path(dir, domain, folder);

	if (r == 0)
		r = key_path(folder, selector, path);
	if (r < 0)
		return r;
	if (unlink(path) < 0)
		return errno == ENOENT || errno == ENOTDIR ? E_UNKNOWN : -errno;
	r = sync_folder(folder);
	(void)rmdir(folder); /* only when it was the last key */
	return r;
}
