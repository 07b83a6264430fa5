/* dkim/judge.c - the same signatures by libopendkim, and verification.  The only file that includes
 * <dkim.h>.  frame.c says what may be signed; the library does the rest: canonical form, header
 * list, field layout, folding and the signature. */
#include <dkim.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include "base/encode.h"
#include "dkim/frame.h"
#include "dkim/key.h"

enum { JUDGE_SIGNATURES_MAX = 16 };

static int set_option(DKIM_LIB *lib, dkim_opts_t option, void *value, size_t n)
{
	return dkim_options(lib, DKIM_OP_SETOPT, option, value, n) == DKIM_STAT_OK ? 0 : E_CRYPTO;
}

static DKIM_LIB *open_library(int64_t now_s)
{
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	uint64_t when = (uint64_t)now_s;

	if (!lib)
		return NULL;
	/* The lists are only read; the library's interface has no const. */
	if (set_option(lib, DKIM_OPTS_SIGNHDRS, (void *)(uintptr_t)frame_signed_names,
		       sizeof(char **)) < 0 ||
	    set_option(lib, DKIM_OPTS_OVERSIGNHDRS, (void *)(uintptr_t)frame_oversigned_names,
		       sizeof(char **)) < 0 ||
	    set_option(lib, DKIM_OPTS_FIXEDTIME, &when, sizeof(when)) < 0) {
		dkim_close(lib);
		return NULL;
	}
	return lib;
}

static bool is_signature(struct slice field)
{
	return slice_starts_nocase(field, SLICE("DKIM-Signature"));
}

static int feed_headers(DKIM *d, struct slice header, bool with_signatures)
{
	struct slice field;
	size_t pos = 0;

	while (frame_next_field(header, &pos, &field)) {
		if (is_signature(field) && !with_signatures)
			continue; /* not signed, but the library would read it */
		if (dkim_header(d, (u_char *)(uintptr_t)field.p, field.n) != DKIM_STAT_OK &&
		    !is_signature(field)) /* a signature that makes no sense counts as none */
			return E_SYNTAX;
	}
	return 0;
}

static int feed_body(DKIM *d, struct slice body)
{
	u_char crlf[] = "\r\n";

	if (body.n == 0)
		return 0;
	if (dkim_body(d, (u_char *)(uintptr_t)body.p, body.n) != DKIM_STAT_OK)
		return E_CRYPTO;
	if (body.n >= 2 && memcmp(body.p + body.n - 2, "\r\n", 2) == 0)
		return 0;
	return dkim_body(d, crlf, 2) == DKIM_STAT_OK ? 0 : E_CRYPTO;
}

/* libopendkim 2.11 never frees the parsed key of an Ed25519 signature (some 500 bytes each).  The
 * leak checker ignores that call alone.  This is one more reason not to sign all mail here. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static DKIM_STAT make_signature(DKIM *d)
{
	DKIM_STAT status;

	if (__lsan_disable)
		__lsan_disable();
	status = dkim_eom(d, NULL);
	if (__lsan_enable)
		__lsan_enable();
	return status;
}

static int take_field(DKIM *d, struct buf *out)
{
	u_char *text;
	size_t n;
	int r;

	if (make_signature(d) != DKIM_STAT_OK ||
	    dkim_getsighdr_d(d, strlen("DKIM-Signature: "), &text, &n) != DKIM_STAT_OK)
		return E_CRYPTO;
	r = buf_append(out, SLICE("DKIM-Signature: "));
	if (r == 0)
		r = buf_append(out, slice_of(text, n));
	if (r == 0)
		r = buf_append(out, SLICE("\r\n"));
	return r;
}

static int run_signer(DKIM *d, const struct frame *f, struct buf *out)
{
	int r = feed_headers(d, f->header, false);

	if (r < 0)
		return r;
	if (dkim_eoh(d) != DKIM_STAT_OK)
		return E_SYNTAX;
	r = feed_body(d, f->body);
	if (r < 0)
		return r;
	return take_field(d, out);
}

static int judge_with(DKIM_LIB *lib, const struct sign_key *key, char *pem, const struct frame *f,
		      struct buf *out)
{
	dkim_alg_t alg = key->type == SIGN_RSA ? DKIM_SIGN_RSASHA256 : DKIM_SIGN_ED25519SHA256;
	DKIM_STAT status;
	DKIM *d = dkim_sign(lib, (const u_char *)"judge", NULL, (dkim_sigkey_t)pem,
			    (const u_char *)key->selector, (const u_char *)key->domain,
			    DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, alg, -1, &status);
	int r;

	if (!d)
		return E_CRYPTO;
	r = run_signer(d, f, out);
	(void)dkim_free(d);
	return r;
}

/* The library wants the key as text: it is made for the call and wiped afterwards. */
static int judge_one(DKIM_LIB *lib, const struct sign_key *key, const struct frame *f,
		     struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int r = E_CRYPTO;
	char *pem;

	if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
	    BIO_write(bio, "", 1) == 1 && BIO_get_mem_data(bio, &pem) > 0)
		r = judge_with(lib, key, pem, f, out);
	BIO_free(bio);
	return r;
}

static bool has_bare_cr(struct slice s)
{
	for (const char *p = s.p, *end = s.p + s.n; p < end; p++) {
		p = memchr(p, '\r', (size_t)(end - p));
		if (!p)
			return false;
		if (p + 1 == end || p[1] != '\n')
			return true;
	}
	return false;
}

int sign_judge(struct sign_key *const *keys, unsigned n, struct slice message, int64_t now_s,
	       struct buf *out)
{
	size_t before = buf_len(out);
	struct frame f;
	DKIM_LIB *lib;
	int r;

	if (n == 0)
		return 0;
	if (now_s <= 0)
		return -EINVAL;
	r = frame_parse(message, &f);
	if (r < 0)
		return r;
	if (has_bare_cr(f.body))
		return E_SYNTAX;
	lib = open_library(now_s);
	if (!lib)
		return E_CRYPTO;
	for (unsigned i = 0; i < n && r == 0; i++)
		r = judge_one(lib, keys[i], &f, out);
	dkim_close(lib);
	if (r < 0)
		out->end = out->start + before;
	return r;
}

/* ---- verification ------------------------------------------------------------------------ */

struct judge_keys {
	struct sign_key *const *keys;
	unsigned n;
};

static int find_key(const struct judge_keys *ring, DKIM_SIGINFO *sig)
{
	struct slice domain = slice_str((const char *)dkim_sig_getdomain(sig));
	struct slice selector = slice_str((const char *)dkim_sig_getselector(sig));

	for (unsigned i = 0; i < ring->n; i++)
		if (slice_eq_nocase(domain, sign_key_domain(ring->keys[i])) &&
		    slice_eq_nocase(selector, sign_key_selector(ring->keys[i])))
			return (int)i;
	return -1;
}

/* Stands in for DNS: the TXT value that belongs to the key. */
static DKIM_CBSTAT answer_key(DKIM *d, DKIM_SIGINFO *sig, unsigned char *out, size_t cap)
{
	const struct judge_keys *ring = dkim_get_user_context(d);
	int i = find_key(ring, sig);
	DKIM_CBSTAT status = DKIM_CBSTAT_ERROR;
	struct buf txt;

	if (i < 0)
		return DKIM_CBSTAT_NOTFOUND;
	buf_init(&txt, 0);
	if (sign_key_txt(ring->keys[i], &txt) == 0 && buf_len(&txt) < cap) {
		(void)slice_copy((char *)out, cap, buf_data(&txt));
		status = DKIM_CBSTAT_CONTINUE;
	}
	buf_free(&txt);
	return status;
}

/* Signatures that are not ours do not count. */
static DKIM_CBSTAT ignore_others(DKIM *d, DKIM_SIGINFO **sigs, int n)
{
	const struct judge_keys *ring = dkim_get_user_context(d);

	for (int i = 0; i < n; i++)
		if (find_key(ring, sigs[i]) < 0)
			dkim_sig_ignore(sigs[i]);
	return DKIM_CBSTAT_CONTINUE;
}

static bool has_passed(DKIM_SIGINFO *sig)
{
	return (dkim_sig_getflags(sig) & DKIM_SIGFLAG_PASSED) &&
	       dkim_sig_getbh(sig) == DKIM_SIGBH_MATCH &&
	       dkim_sig_geterror(sig) == DKIM_SIGERROR_OK;
}

static int count_passes(DKIM *d, const struct judge_keys *ring)
{
	bool seen[JUDGE_SIGNATURES_MAX] = { false };
	DKIM_SIGINFO **sigs;
	unsigned passed = 0;
	int n, k;

	if (dkim_getsiglist(d, &sigs, &n) != DKIM_STAT_OK)
		return E_CRYPTO;
	for (int i = 0; i < n; i++) {
		k = find_key(ring, sigs[i]);
		if (k < 0)
			continue;
		if (!has_passed(sigs[i]))
			return E_CRYPTO;
		passed += !seen[k];
		seen[k] = true;
	}
	return passed == ring->n ? 0 : E_CRYPTO;
}

static int run_verifier(DKIM *d, const struct frame *f, struct judge_keys *ring)
{
	int r;

	if (dkim_set_user_context(d, ring) != DKIM_STAT_OK)
		return E_CRYPTO;
	r = feed_headers(d, f->header, true);
	if (r < 0)
		return r;
	if (dkim_eoh(d) != DKIM_STAT_OK)
		return E_CRYPTO;
	r = feed_body(d, f->body);
	if (r < 0)
		return r;
	if (dkim_eom(d, NULL) != DKIM_STAT_OK)
		return E_CRYPTO;
	return count_passes(d, ring);
}

int sign_verify(struct sign_key *const *keys, unsigned n, struct slice signed_message)
{
	struct judge_keys ring = { keys, n };
	struct frame f;
	DKIM_STAT status;
	DKIM_LIB *lib;
	DKIM *d;
	int r;

	if (n == 0 || n > JUDGE_SIGNATURES_MAX)
		return -EINVAL;
	r = frame_parse(signed_message, &f);
	if (r < 0)
		return r;
	lib = dkim_init(NULL, NULL);
	if (!lib)
		return E_CRYPTO;
	(void)dkim_set_key_lookup(lib, answer_key);
	(void)dkim_set_prescreen(lib, ignore_others);
	d = dkim_verify(lib, (const u_char *)"judge", NULL, &status);
	r = d ? run_verifier(d, &f, &ring) : E_CRYPTO;
	if (d)
		(void)dkim_free(d);
	dkim_close(lib);
	return r;
}
