/* control/contract/rfc3339.c - reading times of RFC 3339. */
#include "control/contract/rfc3339.h"

#include <time.h>

/* Exactly n digits at s[at]; -1 otherwise. */
static int digits(struct slice s, size_t at, size_t n)
{
	int v = 0;

	if (at + n > s.n)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + s.p[i] - '0';
	}
	return v;
}

static bool has(struct slice s, size_t at, const char *any)
{
	return at < s.n && s.p[at] && strchr(any, s.p[at]);
}

/* time-offset = "Z" / time-numoffset: in minutes. */
static int read_offset(struct slice s, size_t at, int *ret)
{
	int hours, minutes;

	if (at + 1 == s.n && has(s, at, "Zz")) {
		*ret = 0;
		return 0;
	}
	hours = digits(s, at + 1, 2);
	minutes = digits(s, at + 4, 2);
	if (at + 6 != s.n || !has(s, at, "+-") || !has(s, at + 3, ":") || hours < 0 || hours > 23 ||
	    minutes < 0 || minutes > 59)
		return E_SYNTAX;
	*ret = (hours * 60 + minutes) * (s.p[at] == '-' ? -1 : 1);
	return 0;
}

/* date-time = full-date "T" full-time, RFC 3339 section 5.6; 1970 to 9999. */
int rfc3339_parse(struct slice s, int64_t *ret_ms)
{
	struct tm tm = { .tm_year = digits(s, 0, 4) - 1900,
			 .tm_mon = digits(s, 5, 2) - 1,
			 .tm_mday = digits(s, 8, 2),
			 .tm_hour = digits(s, 11, 2),
			 .tm_min = digits(s, 14, 2),
			 .tm_sec = digits(s, 17, 2) };
	int day = tm.tm_mday, offset, ms = 0, scale = 100;
	size_t at = 19;
	bool leap;
	time_t t;

	if (!has(s, 4, "-") || !has(s, 7, "-") || !has(s, 10, "Tt ") || !has(s, 13, ":") ||
	    !has(s, 16, ":") || tm.tm_year < 70 || tm.tm_mon < 0 || tm.tm_mon > 11 || day < 1 ||
	    day > 31 || tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 ||
	    tm.tm_sec < 0 || tm.tm_sec > 60)
		return E_SYNTAX;
	if (has(s, at, ".")) {
		if (digits(s, ++at, 1) < 0)
			return E_SYNTAX;
		for (; digits(s, at, 1) >= 0; at++, scale /= 10)
			ms += digits(s, at, 1) * scale;
	}
	if (read_offset(s, at, &offset) < 0)
		return E_SYNTAX;
	leap =
	    tm.tm_sec == 60; /* the first second of the next minute, which may be another day's */
	tm.tm_sec -= leap;
	t = timegm(&tm) + leap;
	if (tm.tm_mday != day) /* 31 April moved to May */
		return E_SYNTAX;
	*ret_ms = ((int64_t)t - (int64_t)offset * 60) * 1000 + ms;
	return 0;
}
