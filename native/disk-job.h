/* Disk calls that may wait for the device: run by the pool, answered by `jobDone(job, result)`. */
#pragma once
#include "addon.h"

void disk_job_register(Addon *addon, napi_value exports);
