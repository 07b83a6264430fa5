/* message/judge/shipped.h - the files of shipped/, which the build embeds, in their order. */
#pragma once
#include <stddef.h>

struct judge_shipped {
	const char *name, *text;
	size_t n;
};
extern const struct judge_shipped judge_shipped[];
extern const size_t judge_shipped_n;
