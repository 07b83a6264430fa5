/* schema/wire/facts.c - facts, packed and unpacked. */
#include "schema/wire/facts.h"

static bool is_stop(enum wire_fact_kind k)
{
	return k == WIRE_FACT_STOPS_ALL || k == WIRE_FACT_STOPS_BULK || k == WIRE_FACT_STOPS_NONE;
}

bool wire_fact_is_object(enum wire_fact_kind k)
{
	return k == WIRE_FACT_CREDENTIAL || k == WIRE_FACT_SMART_ROUTE;
}

bool wire_fact_ends_object(enum wire_fact_kind k)
{
	return k == WIRE_FACT_NO_CREDENTIAL || k == WIRE_FACT_NO_SMART_ROUTE;
}

static bool is_summed(enum wire_fact_kind k)
{
	return k == WIRE_FACT_SENDER || k == WIRE_FACT_STOPS_ALL || k == WIRE_FACT_STOPS_BULK ||
	       wire_fact_is_object(k);
}

static void write_u64(char *at, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (char)(v >> (56 - 8 * i));
}

static uint64_t read_u64(const char *at)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | (unsigned char)at[i];
	return v;
}

uint64_t wire_fact_sum(const uint8_t *hash)
{
	return read_u64((const char *)hash);
}

static size_t write_text(char *at, struct slice s)
{
	at[0] = (char)s.n;
	if (s.n)
		memcpy(at + 1, s.p, s.n);
	return 1 + s.n;
}

static bool hash_fit(const uint8_t *hash)
{
	static const uint8_t zero[WIRE_FACT_HASH];

	return memcmp(hash, zero, WIRE_FACT_HASH) != 0;
}

static bool fit(const struct wire_fact *f)
{
	if (is_stop(f->kind))
		return hash_fit(f->hash);
	if (f->kind == WIRE_FACT_SUM)
		return is_summed(f->of);
	if (wire_fact_is_object(f->kind))
		return hash_fit(f->hash) && f->text.n && f->text.n <= WIRE_FACT_TEXT_MAX;
	if (wire_fact_ends_object(f->kind))
		return true;
	return (f->kind == WIRE_FACT_SENDER || f->kind == WIRE_FACT_NO_SENDER) && f->domain.n &&
	       f->domain.n <= WIRE_FACT_NAME_MAX && f->pool.n <= WIRE_FACT_NAME_MAX;
}

/* What follows the tenant, but an object's text. */
static size_t write_rest(char *at, const struct wire_fact *f)
{
	size_t n = 0;

	if (f->kind == WIRE_FACT_SENDER || f->kind == WIRE_FACT_NO_SENDER) {
		n = write_text(at, f->domain);
		return f->kind == WIRE_FACT_SENDER ? n + write_text(at + n, f->pool) : n;
	}
	if (f->kind == WIRE_FACT_SUM) {
		at[0] = (char)f->of;
		write_u64(at + 1, f->count);
		write_u64(at + 9, f->sum);
		return 17;
	}
	if (!is_stop(f->kind)) {
		write_u64(at, f->id);
		n = 8;
	}
	if (wire_fact_ends_object(f->kind))
		return n;
	memcpy(at + n, f->hash, WIRE_FACT_HASH);
	n += WIRE_FACT_HASH;
	if (wire_fact_is_object(f->kind)) {
		at[n++] = (char)(f->text.n >> 8);
		at[n++] = (char)f->text.n;
	}
	return n;
}

int wire_fact_put(struct buf *out, const struct wire_fact *f)
{
	char packed[9 + 2 * (1 + WIRE_FACT_NAME_MAX)];
	size_t n = 9, text = wire_fact_is_object(f->kind) ? f->text.n : 0;
	int r;

	if (!fit(f))
		return E_SYNTAX;
	packed[0] = (char)f->kind;
	write_u64(packed + 1, f->tenant);
	n += write_rest(packed + n, f);
	r = buf_reserve(out, n + text);
	if (r == 0)
		r = buf_append(out, slice_of(packed, n));
	return r == 0 && text ? buf_append(out, f->text) : r;
}

static bool take(struct slice *in, size_t n, const char **ret)
{
	if (in->n < n)
		return false;
	*ret = in->p;
	*in = slice_skip(*in, n);
	return true;
}

static bool take_text(struct slice *in, struct slice *ret)
{
	const char *p;
	size_t n;

	if (!take(in, 1, &p))
		return false;
	n = (unsigned char)*p;
	if (!take(in, n, &p))
		return false;
	*ret = slice_of(p, n);
	return true;
}

static bool take_hash(struct slice *in, uint8_t *ret)
{
	const char *p;

	if (!take(in, WIRE_FACT_HASH, &p))
		return false;
	memcpy(ret, p, WIRE_FACT_HASH);
	return true;
}

static bool take_sum(struct slice *in, struct wire_fact *f)
{
	const char *p;

	if (!take(in, 17, &p))
		return false;
	f->of = (enum wire_fact_kind)(unsigned char)p[0];
	f->count = read_u64(p + 1);
	f->sum = read_u64(p + 9);
	return true;
}

static bool take_object(struct slice *in, struct wire_fact *f)
{
	const char *p;
	size_t n;

	if (!take(in, 8, &p))
		return false;
	f->id = read_u64(p);
	if (wire_fact_ends_object(f->kind))
		return true;
	if (!take_hash(in, f->hash) || !take(in, 2, &p))
		return false;
	n = (size_t)(unsigned char)p[0] << 8 | (unsigned char)p[1];
	if (!take(in, n, &p))
		return false;
	f->text = slice_of(p, n);
	return true;
}

static bool take_rest(struct slice *in, struct wire_fact *f)
{
	if (is_stop(f->kind))
		return take_hash(in, f->hash);
	if (f->kind == WIRE_FACT_SUM)
		return take_sum(in, f);
	if (f->kind > WIRE_FACT_SUM)
		return take_object(in, f);
	return take_text(in, &f->domain) &&
	       (f->kind != WIRE_FACT_SENDER || take_text(in, &f->pool));
}

int wire_fact_next(struct slice *facts, struct wire_fact *ret)
{
	struct wire_fact f = { .domain = SLICE(""), .pool = SLICE(""), .text = SLICE("") };
	struct slice in = *facts;
	const char *p;

	if (!in.n)
		return 0;
	if (!take(&in, 9, &p))
		return E_SYNTAX;
	f.kind = (enum wire_fact_kind)(unsigned char)p[0];
	f.tenant = read_u64(p + 1);
	if (f.kind < WIRE_FACT_SENDER || f.kind > WIRE_FACT_NO_SMART_ROUTE || !take_rest(&in, &f) ||
	    !fit(&f))
		return E_SYNTAX;
	*facts = in;
	*ret = f;
	return 1;
}
