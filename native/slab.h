#ifndef LOGCLUSTER_SLAB_H
#define LOGCLUSTER_SLAB_H
typedef struct { int x; } SlabPool;
#endif
