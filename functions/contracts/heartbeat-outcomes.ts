import type { HeartbeatMemory } from '../../shared/heartbeat/judge-heartbeats.ts';
import type { NoticeDue } from './outcomes.ts';

/** Something to tell; `event` where it is a silence. */
export interface HeartbeatAlarm {
  due: NoticeDue;
  event?: {
    /** Name of the heartbeat; `app` for the app as a whole. */
    name: string;
    hsm?: string;
    since: string;
    at: string;
    summary: string;
  };
}

export interface HeartbeatActivityOutcomes {
  lookAtHeartbeats: { kind: 'looked'; alarms: HeartbeatAlarm[]; memory: HeartbeatMemory };
  publishHeartbeatMissed: { kind: 'published' };
  rememberHeartbeats: { kind: 'remembered' };
}
