/* tests/unit/control/zone.c - DNS as a text. */
#include "tests/unit/control/zone.h"

static const char *type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_AAAA:
		return "AAAA";
	case DNS_MX:
		return "MX";
	case DNS_CNAME:
		return "CNAME";
	case DNS_PTR:
		return "PTR";
	case DNS_TXT:
		return "TXT";
	default:
		return "?";
	}
}

static bool is_under(struct slice name, struct slice top)
{
	return name.n > top.n && name.p[name.n - top.n - 1] == '.' &&
	       slice_eq_nocase(slice_skip(name, name.n - top.n), top);
}

/* False: the line's data is not of the type. */
static bool take(enum dns_type type, struct slice data, struct dns_record *ret)
{
	uint64_t preference = 0;

	memset(ret, 0, sizeof(*ret));
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		return ip_parse(data, &ret->ip) == 0 &&
		       ret->ip.family == (type == DNS_A ? AF_INET : AF_INET6);
	case DNS_MX:
		(void)!slice_u64(slice_take(&data, ' '), UINT16_MAX, &preference);
		ret->preference = (uint16_t)preference;
		ret->name = data;
		return true;
	case DNS_TXT:
		ret->data = data;
		return true;
	default:
		ret->name = data;
		return true;
	}
}

int zone_ask(void *arg, struct slice name, enum dns_type type, struct dns_answer **ret)
{
	struct zone *z = arg;
	struct slice rest = z->text;
	struct dns_answer *a;
	struct dns_record *records;
	int status = E_DNS_NXDOMAIN;

	z->asked++;
	a = must_alloc(sizeof(*a) + DNS_RECORDS_MAX * sizeof(*records));
	records = (struct dns_record *)(a + 1);
	a->records = records;
	while (rest.n && a->n < DNS_RECORDS_MAX) {
		struct slice line = slice_take(&rest, '\n'), owner = slice_take(&line, ' ');
		struct slice kind = slice_take(&line, ' ');

		if (status == E_DNS_NXDOMAIN &&
		    (slice_eq_nocase(owner, name) || is_under(owner, name)))
			status = E_DNS_NONE;
		if (!slice_eq_nocase(owner, name) || !slice_eq(kind, slice_str(type_name(type))))
			continue;
		if (slice_eq(line, SLICE("!")))
			status = E_DNS_TEMP;
		else
			a->n += take(type, line, &records[a->n]);
	}
	if (status != E_DNS_TEMP && a->n) {
		*ret = a;
		return 0;
	}
	free(a);
	return status;
}
