import type { Answer, Command } from './controller/commands.ts'

/** The controller's office: what is asked of the broker that holds it. */
export interface Office {
  /** As `ControllerShell.ask`. */
  ask(command: Command, timeoutMs?: number): Promise<Answer>
}
