#include "mta/work.h"
