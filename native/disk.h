/* Files for JavaScript: what answers at once. */
#pragma once
#include "addon.h"

/*
 * Adds functions to `exports`, and to `constants` what JavaScript reads instead of writing it
 * again. So do the others of this name.
 */
void disk_register(Addon *addon, napi_value exports, napi_value constants);
