/** Ports of every broker that are not in `spec.listeners`. Beside the schemas: the plugin of kubectl has no use for what those load. */
export const privatePort = 9091
export const httpPort = 9404
