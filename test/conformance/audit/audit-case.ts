import type { AuditWorld } from './audit-world.js';
import type { ControlName } from './controls.js';

/** One promise of the audit trail, on every engine. */
export interface AuditCase {
  /** Present tense. */
  readonly title: string;
  /** The broken double under which `run` must fail: the proof that it can. */
  readonly control: ControlName;
  run(world: AuditWorld): Promise<void>;
}
