/* mta/submit/when.c - date-time = full-date "T" full-time. */
#include "mta/submit/when.h"

#include <time.h>

static bool take(struct slice *s, char c)
{
	if (!s->n || ascii_lower(*s->p) != c)
		return false;
	*s = slice_skip(*s, 1);
	return true;
}

static bool take_digits(struct slice *s, size_t n, int max, int *ret)
{
	uint64_t v;

	if (s->n < n || slice_u64(slice_of(s->p, n), (uint64_t)max, &v) < 0)
		return false;
	*s = slice_skip(*s, n);
	*ret = (int)v;
	return true;
}

/* time-secfrac; parts of a second are passed over. */
static bool take_fraction(struct slice *s)
{
	size_t n = 0;

	if (!take(s, '.'))
		return true;
	for (; s->n && *s->p >= '0' && *s->p <= '9'; n++)
		*s = slice_skip(*s, 1);
	return n > 0;
}

static bool take_zone(struct slice *s, int *ret_minutes)
{
	int hours, minutes, sign;

	*ret_minutes = 0;
	if (take(s, 'z'))
		return true;
	sign = take(s, '+') ? 1 : -1;
	if (sign < 0 && !take(s, '-'))
		return false;
	if (!take_digits(s, 2, 23, &hours) || !take(s, ':') || !take_digits(s, 2, 59, &minutes))
		return false;
	*ret_minutes = sign * (hours * 60 + minutes);
	return true;
}

int when_parse(struct slice s, int64_t *ret)
{
	struct tm tm = { 0 }, made;
	int zone;
	time_t t;

	if (!take_digits(&s, 4, 9999, &tm.tm_year) || !take(&s, '-') ||
	    !take_digits(&s, 2, 12, &tm.tm_mon) || !take(&s, '-') ||
	    !take_digits(&s, 2, 31, &tm.tm_mday) || !take(&s, 't') ||
	    !take_digits(&s, 2, 23, &tm.tm_hour) || !take(&s, ':') ||
	    !take_digits(&s, 2, 59, &tm.tm_min) || !take(&s, ':') ||
	    !take_digits(&s, 2, 59, &tm.tm_sec) || !take_fraction(&s) || !take_zone(&s, &zone))
		return E_SYNTAX;
	if (s.n || tm.tm_year < 1970 || !tm.tm_mon || !tm.tm_mday)
		return E_SYNTAX;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	made = tm;
	t = timegm(&made);
	if (made.tm_mday != tm.tm_mday) /* 30 February */
		return E_SYNTAX;
	*ret = ((int64_t)t - zone * 60) * 1000;
	return 0;
}
