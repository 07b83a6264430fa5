/* spool/compress.c - the one door to zstd. */
#include "spool/compress.h"

#include <pthread.h>
#include <zstd.h>

enum { PAYS_FROM = 256, LEVEL = 1, WINDOW_LOG_MAX = 23 };

struct context {
	ZSTD_CCtx *in;
	ZSTD_DCtx *out;
};
static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static __thread struct context *mine;

static void context_free(void *p)
{
	struct context *c = p;

	(void)ZSTD_freeCCtx(c->in);
	(void)ZSTD_freeDCtx(c->out);
	free(c);
	mine = NULL;
}

static void end_of_main(void)
{
	if (mine)
		context_free(mine);
}

static void make_key(void)
{
	(void)pthread_key_create(&key, context_free);
	(void)atexit(end_of_main); /* keys are not destroyed in the thread that calls exit */
}

static struct context *context(void)
{
	if (!mine) {
		(void)pthread_once(&key_once, make_key);
		mine = must_alloc(sizeof(*mine));
		mine->in = ZSTD_createCCtx();
		mine->out = ZSTD_createDCtx();
		if (mine->out)
			(void)ZSTD_DCtx_setParameter(mine->out, ZSTD_d_windowLogMax,
						     WINDOW_LOG_MAX);
		(void)pthread_setspecific(key, mine);
	}
	return mine;
}

int compress_pack(struct slice in, char **ret, size_t *ret_n)
{
	size_t cap, n;
	char *out;

	if (in.n < PAYS_FROM)
		return 0;
	cap = in.n - in.n / 16; /* it must save a sixteenth */
	out = malloc(cap);
	if (!out || !context()->in) {
		free(out);
		return -ENOMEM;
	}
	n = ZSTD_compressCCtx(context()->in, out, cap, in.p, in.n, LEVEL);
	if (ZSTD_isError(n)) { /* the only error is "does not fit" */
		free(out);
		return 0;
	}
	*ret = out;
	*ret_n = n;
	return 1;
}

int compress_unpack(struct slice in, size_t raw_len, struct buf *out)
{
	size_t n;
	int r;

	if (ZSTD_getFrameContentSize(in.p, in.n) != raw_len)
		return E_CORRUPT;
	r = buf_reserve(out, raw_len);
	if (r < 0)
		return r;
	if (!context()->out)
		return -ENOMEM;
	n = ZSTD_decompressDCtx(context()->out, buf_tail(out), raw_len, in.p, in.n);
	if (ZSTD_isError(n) || n != raw_len)
		return E_CORRUPT;
	buf_grow(out, raw_len);
	return 0;
}
