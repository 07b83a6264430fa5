/* mta/shape/builtin.h - the text of packaging/shape.conf, which every engine has. */
#pragma once
#include <stddef.h>

extern const char shape_builtin[]; /* ends in NUL */
extern const size_t shape_builtin_n;
