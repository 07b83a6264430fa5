/* control/http/upload.h - an upload as its client sent it, made the plain file that it stands for.
 * Blocks: on the disk.
 * Fails:  E_ANSWERED after 400 (damaged), 413 (plain, it is past http.upload_max), 415 (another
 *         coding) or 422 (a form without a file, or with parts that nobody asked for).
 * Limits: UPLOAD_FIELD_MAX bytes of a form's field. */
#pragma once
#include "control/http/call.h"

enum { UPLOAD_FIELD_MAX = 64 * 1024 };
/* Content-Encoding: gzip, a form (multipart/form-data) with one file, and a file that is gzip.
 * *ret_fields: an object of the form's fields, of which only those of names[] are taken. */
int upload_unpack(struct call *c, const char *const *names, size_t n_names,
		  json_t **ret_fields) MUST_CHECK;
