import type { LifecycleEvent, LifecycleEventType } from '../../shared/events/lifecycle-event.ts';
import { canonicalName, type KeyRef } from '../../shared/keys/key.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';

export interface KeyFact {
  key: KeyRef;
  type: LifecycleEventType;
  version: string;
  at: string;
  expiresOn?: string;
  notBefore?: string;
  detail?: Record<string, string | number | boolean | null>;
}

/** A fact about a key version as an event. Its id is made of the fact alone, so that a repeat is the same event. */
export function keyEvent(
  world: World,
  { key, type, version, at, expiresOn, notBefore, detail }: KeyFact,
): LifecycleEvent {
  const hsm = world.hsms.find(({ name }) => name === key.hsm);
  if (!hsm) throw new Error(`no HSM named ${key.hsm} in the settings`);
  const reason = typeof detail?.reason === 'string' ? [detail.reason] : [];
  return {
    id: [type, key.hsm, canonicalName(key), version, ...reason].join('/'),
    type,
    source: hsm.resourceId,
    subject: `keys/${key.name}`,
    time: at,
    data: {
      ...detail,
      Id: `${hsm.uri}/keys/${key.name}/${version}`,
      VaultName: key.hsm,
      ObjectType: 'Key',
      ObjectName: key.name,
      Version: version,
      NBF: unixSeconds(notBefore),
      EXP: unixSeconds(expiresOn),
    },
  };
}

export const keyFactActivities = (world: World) =>
  ({
    async publishKeyFact(fact) {
      await world.events.publish([keyEvent(world, fact)]);
      return { kind: 'published' };
    },
  }) satisfies Partial<ActivityHandlers>;

const unixSeconds = (iso: string | undefined): number | null =>
  iso === undefined ? null : Math.floor(Date.parse(iso) / 1000);
