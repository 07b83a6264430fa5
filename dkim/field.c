/* dkim/field.c - the text of a DKIM-Signature field, folded. */
#include "dkim/field.h"

#include <stdio.h>

#include "base/encode.h"

enum { MARGIN = 75, FOLDED_COLUMN = 8 };
#define FIELD_START "DKIM-Signature: "

/* A tab counts for eight columns; the fold inside h= and b= adds a space to it. */
struct field_layout {
	struct buf *out;
	size_t column;
	bool first;
	int error;
};

static void put(struct field_layout *l, struct slice s)
{
	if (l->error == 0)
		l->error = buf_append(l->out, s);
	l->column += s.n;
}

static void fold(struct field_layout *l, bool inside)
{
	put(l, inside ? SLICE("\r\n\t ") : SLICE("\r\n\t"));
	l->column = FOLDED_COLUMN + inside;
}

/* True when the tag now stands on a line of its own. */
static bool start_tag(struct field_layout *l, size_t n)
{
	bool folded = !l->first && l->column + n > MARGIN;

	if (folded)
		fold(l, false);
	else if (!l->first)
		put(l, SLICE(" "));
	l->first = false;
	return folded;
}

static void put_tag(struct field_layout *l, const char *name, struct slice value)
{
	char text[600];
	int n = snprintf(text, sizeof(text), "%s=%.*s;", name, (int)value.n, value.p);

	assert(n > 0 && (size_t)n < sizeof(text)); /* names and hashes only, all bounded */
	(void)start_tag(l, (size_t)n);
	put(l, slice_of(text, (size_t)n));
}

static void put_list_name(struct field_layout *l, struct slice name, bool may_fold, bool last)
{
	size_t n = name.n + last; /* the last one carries the semicolon */

	put(l, SLICE(":"));
	/* The colon is already counted: the rule is "column before it + name + 1 > margin". */
	if (may_fold && l->column + n > MARGIN)
		fold(l, true);
	put(l, name);
	if (last)
		put(l, SLICE(";"));
}

static size_t list_length(const struct frame *f)
{
	size_t n = strlen("h=;") - 1;

	for (unsigned i = 0; i < f->n; i++)
		n += f->fields[i].name_n + 1u;
	for (unsigned i = 0; frame_oversigned_names[i]; i++)
		n += strlen(frame_oversigned_names[i]) + 1;
	return n;
}

static void put_list(struct field_layout *l, const struct frame *f)
{
	bool folded = start_tag(l, list_length(f));

	put(l, SLICE("h="));
	put(l, slice_of(f->fields[0].text.p, f->fields[0].name_n));
	for (unsigned i = 1; i < f->n; i++)
		put_list_name(l, slice_of(f->fields[i].text.p, f->fields[i].name_n), folded, false);
	for (unsigned i = 0; frame_oversigned_names[i]; i++)
		put_list_name(l, slice_str(frame_oversigned_names[i]), folded,
			      !frame_oversigned_names[i + 1]);
}

int sign_field_head(const struct sign_key *key, const struct frame *f,
		    struct slice body_hash_base64, int64_t now_s, struct buf *out)
{
	struct field_layout l = { .out = out, .first = true };
	char time[24];

	put(&l, SLICE(FIELD_START));
	put_tag(&l, "v", SLICE("1"));
	put_tag(&l, "a",
		sign_key_type(key) == SIGN_RSA ? SLICE("rsa-sha256") : SLICE("ed25519-sha256"));
	put_tag(&l, "c", SLICE("relaxed/relaxed"));
	put_tag(&l, "d", sign_key_domain(key));
	put_tag(&l, "s", sign_key_selector(key));
	(void)snprintf(time, sizeof(time), "%lld", (long long)now_s);
	put_tag(&l, "t", slice_str(time));
	put_tag(&l, "bh", body_hash_base64);
	put_list(&l, f);
	return l.error;
}

int sign_field_signature(struct slice signature, struct buf *out)
{
	struct field_layout l = { .out = out };
	struct slice rest;
	char bytes[2048];
	struct buf base64 = { .p = bytes, .cap = sizeof(bytes), .max = sizeof(bytes) };

	l.error = base64_encode(&base64, signature);
	/* A signature never fits beside another tag, so b= always has its own lines. */
	fold(&l, false);
	put(&l, SLICE("b="));
	rest = buf_data(&base64);
	while (l.error == 0 && rest.n) {
		size_t n = MIN_OF(rest.n, MARGIN - l.column);

		put(&l, slice_of(rest.p, n));
		rest = slice_skip(rest, n);
		if (rest.n)
			fold(&l, true);
	}
	put(&l, SLICE("\r\n"));
	return l.error;
}
