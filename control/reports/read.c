/* control/reports/read.c - from the engine's JSON to bounded columns. */
#include "control/reports/read.h"

#include <sodium.h>
#include <stdio.h>

#include "base/address.h"
#include "control/contract/rfc3339.h"
#include "control/http/api.h"

static const int64_t last_ms = 4102444800000; /* 2100 */

static struct slice text_of(const json_t *o, const char *name)
{
	struct slice s = api_text_of(json_object_get(o, name));

	s.n = MIN_OF(s.n, (size_t)REPORT_TEXT_MAX);
	return s;
}

static void put_text(struct db_column *c, const json_t *o, const char *name)
{
	db_column_text(c, text_of(o, name));
}

static void put_count(struct db_column *c, const json_t *o, const char *name)
{
	int64_t n = json_integer_value(json_object_get(o, name));

	db_column_int(c, n < 0 ? 0 : MIN_OF(n, (int64_t)REPORT_COUNT_MAX));
}

static void put_ip(struct db_column *c, const json_t *o, const char *name)
{
	char text[IP_TEXT_MAX];
	struct ip ip;

	if (ip_parse(text_of(o, name), &ip) < 0)
		db_column_null(c);
	else
		db_column_text(c, slice_str(ip_format(&ip, text)));
}

static int64_t within(int64_t ms)
{
	return ms > 0 && ms <= last_ms ? ms : 0;
}

/* Seconds since 1970 (DMARC), or RFC 3339 (TLS). */
static int64_t time_of(const json_t *o, const char *name)
{
	const json_t *t = json_object_get(o, name);
	int64_t ms = 0;

	if (json_is_integer(t) && json_integer_value(t) <= last_ms / 1000)
		ms = json_integer_value(t) * 1000;
	else if (rfc3339_parse(text_of(o, name), &ms) < 0)
		ms = 0;
	return within(ms);
}

static json_t *list_of(const json_t *o, const char *name)
{
	json_t *list = json_object_get(o, name);

	return json_is_array(list) ? list : NULL;
}

/* ---- DMARC ------------------------------------------------------------------------------- */

static void put_signer(struct buf *out, const json_t *auth)
{
	static const char *const members[] = { "domain", "selector", "result" };

	if (buf_len(out))
		buf_put(out, SLICE(", "));
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct slice s = text_of(auth, members[i]);

		if (i && s.n)
			buf_put(out, SLICE(" "));
		buf_put(out, s);
	}
}

static void put_signers(struct domain_report *r, const json_t *row, int nth)
{
	struct buf signers = { 0 };
	struct slice text;
	size_t i;
	json_t *a;

	json_array_foreach(list_of(row, "auth"), i, a)
	{
		if (!slice_eq(text_of(a, "by"), SLICE("dkim")))
			continue;
		put_signer(&signers, a);
		if (!slice_eq(text_of(a, "result"), SLICE("pass")) ||
		    r->auths[AUTH_ROW].n == REPORT_AUTHS_MAX)
			continue;
		db_column_int(&r->auths[AUTH_ROW], nth);
		put_text(&r->auths[AUTH_DOMAIN], a, "domain");
		put_text(&r->auths[AUTH_SELECTOR], a, "selector");
	}
	text = buf_data(&signers);
	text.n = MIN_OF(text.n, (size_t)REPORT_SIGNERS_MAX);
	db_column_text(&r->rows[ROW_SIGNERS], text);
	buf_free(&signers);
}

static void put_row(struct domain_report *r, const json_t *row, int nth)
{
	put_ip(&r->rows[ROW_IP], row, "ip");
	put_count(&r->rows[ROW_COUNT], row, "count");
	put_text(&r->rows[ROW_DISPOSITION], row, "disposition");
	put_text(&r->rows[ROW_DKIM], row, "dkim");
	put_text(&r->rows[ROW_SPF], row, "spf");
	put_text(&r->rows[ROW_HEADER_FROM], row, "header_from");
	put_text(&r->rows[ROW_ENVELOPE_FROM], row, "envelope_from");
	put_text(&r->rows[ROW_REASON], row, "reason");
	put_signers(r, row, nth);
}

static void read_policy(struct domain_report *r, const json_t *policy)
{
	static const char *const members[] = { "p", "sp", "np", "adkim", "aspf", "testing" };
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct slice s = text_of(policy, members[i]);

		if (s.n && s.n < 20)
			n += snprintf(r->policy + n, sizeof(r->policy) - (size_t)n, "%s%s=%.*s",
				      n ? " " : "", members[i], (int)s.n, s.p);
	}
}

static int read_dmarc(struct domain_report *r)
{
	json_t *list = list_of(r->json, "rows"), *row;
	size_t i;

	r->domain = text_of(r->json, "domain");
	r->email = text_of(r->json, "email");
	read_policy(r, json_object_get(r->json, "policy"));
	json_array_foreach(list, i, row)
	{
		if (i == REPORT_ROWS_MAX) {
			r->partial = true;
			break;
		}
		put_row(r, row, (int)i + 1);
	}
	return r->domain.n || json_array_size(list) ? 0 : E_SYNTAX;
}

/* ---- TLS --------------------------------------------------------------------------------- */

static void put_failure(struct domain_report *r, const json_t *f, int policy)
{
	db_column_int(&r->failures[FAILURE_POLICY], policy);
	put_text(&r->failures[FAILURE_RESULT], f, "result");
	put_count(&r->failures[FAILURE_SESSIONS], f, "sessions");
	put_ip(&r->failures[FAILURE_IP], f, "from");
	put_text(&r->failures[FAILURE_HOST], f, "host");
	put_ip(&r->failures[FAILURE_HOST_IP], f, "to");
	put_text(&r->failures[FAILURE_REASON], f, "reason");
}

static int read_tls(struct domain_report *r)
{
	json_t *list = list_of(r->json, "policies"), *p, *f;
	size_t i, k;

	r->email = text_of(r->json, "contact");
	json_array_foreach(list, i, p)
	{
		if (i == REPORT_ROWS_MAX)
			break;
		put_text(&r->policies[POLICY_TYPE], p, "type");
		put_text(&r->policies[POLICY_DOMAIN], p, "domain");
		put_count(&r->policies[POLICY_SUCCESS], p, "success");
		put_count(&r->policies[POLICY_FAILURE], p, "failure");
		json_array_foreach(list_of(p, "failures"), k, f)
		{
			if (r->failures[FAILURE_POLICY].n == REPORT_ROWS_MAX)
				break;
			put_failure(r, f, (int)i + 1);
		}
	}
	return json_array_size(list) ? 0 : E_SYNTAX;
}

/* ---- both -------------------------------------------------------------------------------- */

/* Who made it, and the name that they gave it. */
static void identify(struct domain_report *r, bool tls)
{
	const struct slice parts[] = { tls ? SLICE("tls") : SLICE("dmarc"), r->org, r->id };
	crypto_generichash_state s;

	(void)crypto_generichash_init(&s, NULL, 0, REPORT_IDENTITY);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		uint64_t n = parts[i].n;

		(void)crypto_generichash_update(&s, (const uint8_t *)&n, sizeof(n));
		(void)crypto_generichash_update(&s, (const uint8_t *)parts[i].p, parts[i].n);
	}
	(void)crypto_generichash_final(&s, r->identity, REPORT_IDENTITY);
}

static void each(struct domain_report *r, void (*f)(struct db_column *))
{
	db_columns_each(r->rows, ROW_COLUMNS, f);
	db_columns_each(r->auths, AUTH_COLUMNS, f);
	db_columns_each(r->policies, POLICY_COLUMNS, f);
	db_columns_each(r->failures, FAILURE_COLUMNS, f);
}

int domain_report_read(struct slice json, bool tls, struct domain_report *ret)
{
	json_t *o = json_loadb(json.p, json.n, 0, NULL);
	int r;

	if (!json_is_object(o)) {
		json_decref(o);
		return E_SYNTAX;
	}
	*ret = (struct domain_report){ .json = o };
	each(ret, db_column_init);
	ret->org = text_of(o, "org");
	ret->id = text_of(o, "id");
	ret->begin_ms = time_of(o, "begin");
	ret->end_ms = time_of(o, "end");
	ret->partial = json_is_true(json_object_get(o, "more"));
	identify(ret, tls);
	r = tls ? read_tls(ret) : read_dmarc(ret);
	if (r < 0)
		domain_report_free(ret);
	return r;
}

void domain_report_free(struct domain_report *r)
{
	each(r, db_column_free);
	json_decref(r->json);
	r->json = NULL;
}
