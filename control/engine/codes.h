/* control/engine/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* engines.ended: why its spool is not read any more */
enum engine_end {
	ENGINE_LIVES = 0,
	ENGINE_REPLACED = 1,  /* another spool answers in its place */
	ENGINE_WENT_BACK = 2, /* the spool is in an earlier state than we have seen */
	ENGINE_FORGOT = 3,    /* its log begins after what we have read: a restored database */
};
