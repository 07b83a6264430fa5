/* mta/returnpath/keyfiles.c - keys read, made and removed. */
#include "mta/returnpath/keyfiles.h"

#include <dirent.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/random.h"

enum { FILE_TEXT_MAX = 128 };

static void path_of(const char *dir, unsigned day, char path[KEYFILES_PATH_MAX])
{
	(void)snprintf(path, KEYFILES_PATH_MAX, "%s/%u.key", dir, day);
}

/* "20500.key"; anything else in the folder is not ours. */
static bool day_of(const char *name, unsigned *ret)
{
	struct slice s = slice_str(name);
	uint64_t day;

	if (s.n < 5 || !slice_eq(slice_skip(s, s.n - 4), SLICE(".key")) ||
	    slice_u64(slice_of(s.p, s.n - 4), UINT16_MAX, &day) < 0)
		return false;
	*ret = (unsigned)day;
	return true;
}

static int check_mode(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	return st.st_mode & 077 ? E_DENIED : 0;
}

static void wipe(struct buf *b)
{
	if (b->p)
		OPENSSL_cleanse(b->p, b->cap);
	buf_free(b);
}

static int read_key(const char *path, unsigned day, struct verp_keys *keys)
{
	struct buf text = { .max = 0 }, secret = { .max = 0 };
	int r = check_mode(path);

	if (r == 0)
		r = file_read(path, FILE_TEXT_MAX, &text);
	if (r == 0)
		r = hex_decode(&secret, slice_trim_set(buf_data(&text), " \t\r\n"));
	if (r == 0)
		r = buf_len(&secret) == VERP_KEY_BYTES
			? verp_keys_add(keys, day, (const uint8_t *)buf_data(&secret).p)
			: E_SYNTAX;
	wipe(&text);
	wipe(&secret);
	return r == E_EXISTS ? E_CONFLICT : r;
}

/* It is on the disk before the first token is made with it. */
static int make_key(const char *path, unsigned day, struct verp_keys *keys)
{
	uint8_t secret[VERP_KEY_BYTES];
	struct buf text = { .max = 0 };
	int r;

	random_bytes(secret, sizeof(secret));
	r = hex_encode(&text, slice_of(secret, sizeof(secret)));
	if (r == 0)
		r = buf_append(&text, SLICE("\n"));
	if (r == 0)
		r = file_write_atomic(path, buf_data(&text), 0600);
	if (r == 0)
		r = verp_keys_add(keys, day, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	wipe(&text);
	return r;
}

static int read_folder(const char *dir, unsigned oldest, struct verp_keys *keys, char *path)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned day;
	int r = 0;

	(void)snprintf(path, KEYFILES_PATH_MAX, "%s", dir);
	if (!d)
		return -errno;
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (!day_of(e->d_name, &day))
			continue;
		path_of(dir, day, path);
		if (day < oldest)
			(void)unlink(path);
		else
			r = read_key(path, day, keys);
	}
	(void)closedir(d);
	return r;
}

int keyfiles_read(const char *dir, unsigned today, unsigned life_days, struct verp_keys **ret,
		  char ret_path[KEYFILES_PATH_MAX])
{
	OWNED(verp_keys) keys = verp_keys_new();
	unsigned keep = life_days + KEYFILES_EACH_DAYS;
	int r = file_make_dirs(dir, 0700);

	(void)snprintf(ret_path, KEYFILES_PATH_MAX, "%s", dir);
	if (r == 0)
		r = read_folder(dir, today > keep ? today - keep : 0, keys, ret_path);
	if (r == 0 && verp_keys_newest(keys) + KEYFILES_EACH_DAYS <= (int)today) {
		path_of(dir, today, ret_path);
		r = make_key(ret_path, today, keys);
	}
	if (r < 0)
		return r;
	*ret = TAKE(keys);
	return 0;
}
