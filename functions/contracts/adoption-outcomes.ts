import type { KeyRef } from '../../shared/keys/key.ts';
import type { NoticeDue } from './outcomes.ts';

export interface AdoptionActivityOutcomes {
  lookAtAdoption:
    | { kind: 'off' }
    | {
        kind: 'looked';
        checked: number;
        adopted: { key: KeyRef; version: string; at: string; callers: number; due: NoticeDue }[];
        after?: string;
      };
  recordAdoption: { kind: 'recorded' };
}
