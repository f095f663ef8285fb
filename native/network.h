/* Listeners, dials, connections and send streams for JavaScript: handles in, numbers out. */
#pragma once
#include "addon.h"

void network_register(Addon *addon, napi_value exports, napi_value constants);
/* At the end of the environment: closes what is open. */
void network_end(Addon *addon);
