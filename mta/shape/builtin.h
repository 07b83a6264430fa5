/* mta/shape/builtin.h - the text of packaging/shape.conf, which every engine has. */
#pragma once

extern const char shape_builtin[];
