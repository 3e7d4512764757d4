import * as z from 'zod';
import type { HeartbeatMemory } from '../../shared/heartbeat/judge-heartbeats.ts';
import type { HeartbeatAlarm } from './heartbeat-outcomes.ts';

const object = <T>() => z.custom<T>((value) => typeof value === 'object' && value !== null);

export const heartbeatInputs = {
  lookAtHeartbeats: z.strictObject({}),
  /** What was told and is published; its shape belongs to lookAtHeartbeats. */
  publishHeartbeatMissed: z.strictObject({ event: object<NonNullable<HeartbeatAlarm['event']>>() }),
  rememberHeartbeats: z.strictObject({ memory: object<HeartbeatMemory>() }),
} as const;
