/* Laws: a record has one spelling; and a file that is cut anywhere gives the records of its whole
 * lines, the same ones. */
#include "control/tracking/leave_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 64 };

/* Writes the file's records again; how many there are. */
static unsigned read_all(struct slice file, struct buf *ret)
{
	struct leave_record record;
	unsigned n = 0;
	int r;

	while ((r = leave_record_next(&file, &record)) != 0)
		if (r > 0 && n < RECORDS_MAX) {
			leave_record_put(ret, &record);
			n++;
		}
	return n;
}

static void has_one_spelling(struct slice file)
{
	struct leave_record record;
	struct buf line;
	struct slice rest = file;
	int r;

	while ((r = leave_record_next(&rest, &record)) != 0) {
		if (r < 0)
			continue;
		buf_init(&line, 0);
		leave_record_put(&line, &record);
		if (!memmem(file.p, (size_t)(rest.p ? rest.p - file.p : (ptrdiff_t)file.n),
			    buf_data(&line).p, buf_len(&line)))
			abort();
		buf_free(&line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice file, cut;
	struct buf whole, part;

	if (size < 2)
		return 0;
	file = slice_of(data + 2, size - 2);
	cut = slice_of(file.p, file.n ? ((size_t)data[0] << 8 | data[1]) % file.n : 0);
	buf_init(&whole, 0);
	buf_init(&part, 0);
	has_one_spelling(file);
	(void)read_all(file, &whole);
	(void)read_all(cut, &part);
	if (buf_len(&part) > buf_len(&whole) ||
	    memcmp(buf_data(&part).p ? buf_data(&part).p : "",
		   buf_data(&whole).p ? buf_data(&whole).p : "", buf_len(&part)) != 0)
		abort();
	buf_free(&whole);
	buf_free(&part);
	return 0;
}
