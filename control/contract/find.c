/* control/contract/find.c - the document's operations by method and path, and their queries. */
#include "control/contract/contract.h"

const struct contract_operation *contract_find(const char *method, const char *path)
{
	for (unsigned i = 0; i < contract_operations_n; i++)
		if (!strcmp(contract_operations[i].method, method) &&
		    !strcmp(contract_operations[i].path, path))
			return &contract_operations[i];
	return NULL;
}

const struct contract_member *contract_query(const struct contract_operation *op, struct slice name)
{
	for (unsigned i = 0; i < op->n_query; i++)
		if (slice_eq(name, slice_str(op->query[i].name)))
			return &op->query[i];
	return NULL;
}

char *contract_query_names(const struct contract_operation *op, char *buf, size_t size)
{
	size_t at = 0;

	slice_copy(buf, size, SLICE("none"));
	for (unsigned i = 0; i < op->n_query && at + 1 < size; i++) {
		if (i)
			buf[at++] = ' ';
		slice_copy(buf + at, size - at, slice_str(op->query[i].name));
		at += strlen(buf + at);
	}
	return buf;
}
