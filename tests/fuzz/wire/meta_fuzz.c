/* Law: a meta that is read can be put again, and what is put reads to the same bytes. */
#include "schema/wire/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void content_law(struct slice in)
{
	struct buf one = { 0 }, two = { 0 };
	struct wire_content_meta m;
	int r;

	if (wire_content_meta_get(in, &m) < 0)
		return;
	r = wire_content_meta_put(&one, &m);
	assert(r == 0);
	r = wire_content_meta_get(buf_data(&one), &m);
	assert(r == 0);
	r = wire_content_meta_put(&two, &m);
	assert(r == 0 && slice_eq(buf_data(&one), buf_data(&two)));
	buf_free(&one);
	buf_free(&two);
}

static void job_law(struct slice in)
{
	struct buf one = { 0 }, two = { 0 };
	struct wire_job_meta m;
	int r;

	if (wire_job_meta_get(in, &m) < 0)
		return;
	r = wire_job_meta_put(&one, &m);
	assert(r == 0);
	r = wire_job_meta_get(buf_data(&one), &m);
	assert(r == 0);
	r = wire_job_meta_put(&two, &m);
	assert(r == 0 && slice_eq(buf_data(&one), buf_data(&two)));
	buf_free(&one);
	buf_free(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	content_law(slice_of(data, size));
	job_law(slice_of(data, size));
	return 0;
}
