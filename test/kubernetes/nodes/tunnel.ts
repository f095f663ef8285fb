import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { kubectlProgram } from '../programs/fetched.ts'
import { sharedAccess } from './shared.ts'

export interface Tunnel {
  readonly namespace: string
  /** `pod/NAME` or `service/NAME`. */
  readonly to: string
  /** On this machine, and there. */
  readonly ports: readonly [number, number]
}

/** `kubectl port-forward`, once it listens on 127.0.0.1, until it is disposed of. */
export async function openTunnel({ namespace, to, ports }: Tunnel): Promise<Disposable> {
  const { kubeconfig } = sharedAccess().plane
  const args = ['--kubeconfig', kubeconfig, '-n', namespace, 'port-forward', to, ports.join(':')]
  const process = spawn(kubectlProgram(), args, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: process.stdout })) {
    if (line.startsWith('Forwarding from 127.0.0.1')) {
      return { [Symbol.dispose]: () => void process.kill() }
    }
  }
  throw new Error(`kubectl port-forward ${to} ended`)
}
