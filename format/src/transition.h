/* The inline rule is public now: analysis asks it for every event too. */
#ifndef GOLANES_SRC_TRANSITION_H
#define GOLANES_SRC_TRANSITION_H

#include "golanes/transition.h"

#endif
