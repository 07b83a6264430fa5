/* dkim/sign.c - signs a message with each key. */
#include "dkim/sign.h"

#include "base/encode.h"
#include "dkim/canon.h"
#include "dkim/field.h"
#include "dkim/key.h"

enum { SHA256_BYTES = 32, FIELD_NAME = sizeof("DKIM-Signature") - 1 };

/* RFC 6376 section 5.4.2: of several fields of one name the lowest is taken first. */
static struct frame_field *pick_lowest(struct frame *f, uint8_t name)
{
	for (unsigned i = f->n; i-- > 0;)
		if (!f->fields[i].used && f->fields[i].name == name)
			return &f->fields[i];
	return NULL;
}

/* They are the same for all keys: written once, hashed once per key. */
static int canon_headers(struct frame *f, struct buf *out)
{
	int r = 0;

	buf_shrink(out, SIGN_SCRATCH_KEEP);
	for (unsigned i = 0; i < f->n && r == 0; i++) {
		struct frame_field *field = pick_lowest(f, f->fields[i].name);

		field->used = true;
		r = canon_field(field->text, field->name_n, field->colon, true, out);
	}
	return r;
}

static int hash_body(struct sign_key *key, struct slice body, struct buf *ret_base64)
{
	uint8_t digest[SHA256_BYTES];
	int r;

	if (EVP_DigestInit_ex2(key->hash, key->sha256, NULL) != 1)
		return E_CRYPTO;
	r = canon_body(body, key->hash);
	if (r < 0)
		return r;
	if (EVP_DigestFinal_ex(key->hash, digest, NULL) != 1)
		return E_CRYPTO;
	return base64_encode(ret_base64, slice_of(digest, sizeof(digest)));
}

/* The digest that is signed: the header fields, then our own with an empty b= (section 3.7). */
static int hash_header(struct sign_key *key, struct slice headers, struct slice head,
		       uint8_t *digest)
{
	struct slice own;
	int r;

	buf_shrink(&key->field, SIGN_SCRATCH_KEEP);
	r = canon_field(head, FIELD_NAME, FIELD_NAME, false, &key->field);
	if (r == 0)
		r = buf_append(&key->field, SLICE(" b="));
	if (r < 0)
		return r;
	own = buf_data(&key->field);
	if (EVP_DigestInit_ex2(key->hash, key->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(key->hash, headers.p, headers.n) != 1 ||
	    EVP_DigestUpdate(key->hash, own.p, own.n) != 1 ||
	    EVP_DigestFinal_ex(key->hash, digest, NULL) != 1)
		return E_CRYPTO;
	return 0;
}

static int sign_one(struct sign_key *key, const struct frame *f, struct slice headers,
		    struct slice body_hash, int64_t now_s, struct buf *out)
{
	uint8_t digest[SHA256_BYTES], signature[SIGN_SIGNATURE_MAX];
	size_t before = buf_len(out), n;
	int r = sign_field_head(key, f, body_hash, now_s, out);

	if (r == 0)
		r = hash_header(key, headers,
				slice_of(out->p + out->start + before, buf_len(out) - before),
				digest);
	if (r == 0)
		r = sign_digest(key, digest, signature, &n);
	if (r == 0)
		r = sign_field_signature(slice_of(signature, n), out);
	return r;
}

int sign_message(struct sign_key *const *keys, unsigned n, struct slice message, int64_t now_s,
		 struct buf *out)
{
	size_t before = buf_len(out);
	char base64[64];
	struct buf body_hash = { .p = base64, .cap = sizeof(base64), .max = sizeof(base64) };
	struct frame f;
	int r;

	if (n == 0)
		return 0;
	if (now_s <= 0)
		return -EINVAL;
	r = frame_parse(message, &f);
	if (r == 0)
		r = hash_body(keys[0], f.body, &body_hash);
	if (r == 0)
		r = canon_headers(&f, &keys[0]->headers);
	for (unsigned i = 0; i < n && r == 0; i++)
		r = sign_one(keys[i], &f, buf_data(&keys[0]->headers), buf_data(&body_hash), now_s,
			     out);
	if (r < 0)
		out->end = out->start + before; /* nothing, or a field for every key */
	return r;
}
