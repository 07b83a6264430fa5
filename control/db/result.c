/* control/db/result.c - typed reading of rows, and arrays as parameters. */
#include <stdio.h>

#include "control/db/private.h"

struct db_result {
	PGresult *res;
};

struct db_result *db_result_wrap(PGresult *res)
{
	struct db_result *r = must_alloc(sizeof(*r));

	r->res = res;
	return r;
}

struct db_result *db_result_free(struct db_result *r)
{
	if (!r)
		return NULL;
	PQclear(r->res);
	free(r);
	return NULL;
}

unsigned db_rows(const struct db_result *r)
{
	return (unsigned)PQntuples(r->res);
}

bool db_is_null(const struct db_result *r, unsigned row, unsigned col)
{
	return PQgetisnull(r->res, (int)row, (int)col);
}

static const char *cell(const struct db_result *r, unsigned row, unsigned col)
{
	assert((int)row < PQntuples(r->res) && (int)col < PQnfields(r->res));
	return PQgetvalue(r->res, (int)row, (int)col);
}

int64_t db_int(const struct db_result *r, unsigned row, unsigned col)
{
	return strtoll(cell(r, row, col), NULL, 10);
}

bool db_bool(const struct db_result *r, unsigned row, unsigned col)
{
	return cell(r, row, col)[0] == 't';
}

struct slice db_text(const struct db_result *r, unsigned row, unsigned col)
{
	const char *p = cell(r, row, col);

	return slice_of(p, (size_t)PQgetlength(r->res, (int)row, (int)col));
}

static int nibble(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

struct slice db_bytes(struct db_result *r, unsigned row, unsigned col)
{
	/* "\x0a1b..." becomes the bytes at its own start: no allocation, and read only once. */
	char *p = (char *)cell(r, row, col);
	size_t n = (size_t)PQgetlength(r->res, (int)row, (int)col), i;

	if (n < 2 || p[0] != '\\' || p[1] != 'x')
		return slice_of("", 0);
	for (i = 0; 2 * i + 3 < n; i++)
		p[i] = (char)(nibble(p[2 * i + 2]) << 4 | nibble(p[2 * i + 3]));
	return slice_of(p, i);
}
