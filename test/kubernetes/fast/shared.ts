import { inject } from 'vitest'
import { ControlPlane } from '../control-plane/control-plane.ts'

/**
 * The control plane of all fast scenarios, with controllers and scheduler. Each file works in namespaces of its own
 * and leaves the API server running as it was; who stops it for long or restores etcd starts one of its own
 * (`startControlPlane`, 3 s).
 */
export function sharedControlPlane(): ControlPlane {
  return new ControlPlane(inject('controlPlaneFolder'))
}
