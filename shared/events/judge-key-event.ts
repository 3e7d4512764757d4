import { field, isRecord, text, unixSeconds } from './read-event.ts';

export type IgnoreReason =
  /** No event in either schema, or one without what every event has. */
  | 'Malformed'
  /** Sent by a resource that is not on the allow list. */
  | 'ForeignSource'
  /** An event that calls for no rotation. */
  | 'UnknownType'
  /** About a secret or a certificate. */
  | 'NotAKey'
  /** `subject` names another key than the data does. */
  | 'SubjectDisagrees'
  /** `Id`, `ObjectName`, `Version` and `VaultName` do not name one thing. */
  | 'DataDisagrees'
  /** The address in `Id` is none of the HSMs looked after, or another one than the source. */
  | 'UnknownHsm';

export interface AllowedOrigins {
  /** Resource ids that may speak, besides the HSMs themselves. */
  sources: string[];
  hsms: { name: string; uri: string; resourceId: string }[];
}

export type KeyEventVerdict =
  | {
      kind: 'accepted';
      hsm: string;
      /** As the event spells it; the service compares names without case. */
      name: string;
      /** Lower case. */
      version: string;
      eventType: string;
      eventId: string;
      /** ISO instant, as the event says: a hint, the key itself is read again. */
      expiresOn?: string;
    }
  | { kind: 'ignored'; reason: IgnoreReason; explanation: string };

/** Names that call for a look at the key, from a vault and from this product. */
const ROTATION_TYPES: ReadonlySet<string> = new Set(
  ['Microsoft.KeyVault.', 'ManagedHsmLifecycle.'].flatMap((prefix) =>
    ['KeyNearExpiry', 'KeyExpired'].map((name) => `${prefix}${name}`.toLowerCase()),
  ),
);

const OTHER_OBJECT = /^microsoft\.keyvault\.(secret|certificate)/i;
const KEY_NAME = /^[0-9a-z-]{1,127}$/i;
const VERSION = /^[0-9a-f]{32}$/i;
const KEY_ID = /^https:\/\/([^/?#@\\\s]+)\/keys\/([^/?#\s]+)\/([^/?#\s]+)\/?$/i;

/**
 * Is this an event to act on? Reads both schemas (Event Grid, CloudEvents 1.0) and what publishers are known to send: names
 * in any case and with stray blanks, numbers as texts. An event is a hint that anyone with a topic key could forge, so all
 * it says must agree with itself and with what is looked after; it never throws.
 */
export function judgeKeyEvent(raw: unknown, allow: AllowedOrigins): KeyEventVerdict {
  if (!isRecord(raw)) return ignored('Malformed', 'The event is no object.');
  const eventId = text(field(raw, 'id'));
  const eventType = text(field(raw, 'type')) ?? text(field(raw, 'eventType'));
  const source = text(field(raw, 'source')) ?? text(field(raw, 'topic'));
  const subject = text(field(raw, 'subject'));
  if (eventId === undefined || eventType === undefined || source === undefined || eventId.length > 256) {
    return ignored('Malformed', 'The event lacks its id, type or source.');
  }
  if (!isAllowed(source, allow)) return ignored('ForeignSource', `No event is taken from ${quoted(source)}.`);
  if (OTHER_OBJECT.test(eventType)) return ignored('NotAKey', `${quoted(eventType)} is not about a key.`);
  if (!ROTATION_TYPES.has(eventType.toLowerCase())) {
    return ignored('UnknownType', `${quoted(eventType)} calls for no rotation.`);
  }
  const data = field(raw, 'data');
  if (!isRecord(data)) return ignored('Malformed', 'The event has no data.');
  return judgeData(data, { eventId, eventType, source, subject }, allow);
}

interface Envelope {
  eventId: string;
  eventType: string;
  source: string;
  subject: string | undefined;
}

function judgeData(data: Record<string, unknown>, envelope: Envelope, allow: AllowedOrigins): KeyEventVerdict {
  const objectType = text(field(data, 'objectType'));
  if (objectType === undefined) return ignored('Malformed', 'The data does not say what kind of object it is about.');
  if (!same(objectType, 'Key')) return ignored('NotAKey', `The data is about a ${quoted(objectType)}.`);

  const name = text(field(data, 'objectName'));
  const version = text(field(data, 'version'));
  if (name === undefined || version === undefined || !KEY_NAME.test(name) || !VERSION.test(version)) {
    return ignored('Malformed', 'The data names no key and version.');
  }
  const { subject } = envelope;
  if (subject === undefined || !(same(subject, name) || same(subject, `keys/${name}`))) {
    return ignored('SubjectDisagrees', `The subject ${quoted(subject ?? '')} is not the key ${quoted(name)}.`);
  }
  const [, host, idName, idVersion] = KEY_ID.exec(text(field(data, 'id')) ?? '') ?? [];
  if (host === undefined || !same(idName, name) || !same(idVersion, version)) {
    return ignored('DataDisagrees', 'The address of the key does not name the same key and version as the data.');
  }
  const vaultName = text(field(data, 'vaultName'));
  if (vaultName !== undefined && !same(vaultName, host.split(/[.:]/)[0])) {
    const hsm = allow.hsms.find((candidate) => same(candidate.name, vaultName));
    if (hsm === undefined || !same(hostOf(hsm.uri), plainHost(host))) {
      return ignored('DataDisagrees', `The address of the key is not one of ${quoted(vaultName)}.`);
    }
  }
  const hsm = allow.hsms.find((candidate) => same(hostOf(candidate.uri), plainHost(host)));
  if (hsm === undefined) return ignored('UnknownHsm', `${quoted(host)} is none of the HSMs looked after.`);
  const speaker = allow.hsms.find((candidate) => same(candidate.resourceId, envelope.source));
  if (speaker !== undefined && speaker.name !== hsm.name) {
    return ignored('UnknownHsm', `${quoted(speaker.name)} speaks of a key of ${quoted(hsm.name)}.`);
  }
  const expiry = unixSeconds(field(data, 'exp'));
  const { eventId, eventType } = envelope;
  return {
    kind: 'accepted',
    hsm: hsm.name,
    name,
    version: version.toLowerCase(),
    eventType,
    eventId,
    ...(expiry === undefined ? {} : { expiresOn: expiry }),
  };
}

const isAllowed = (source: string, allow: AllowedOrigins): boolean =>
  [...allow.sources, ...allow.hsms.map((hsm) => hsm.resourceId)].some((allowed) => same(allowed, source));

/** Resource ids, host names, key names and versions all compare without case. */
const same = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();

const plainHost = (host: string): string => host.replace(/:443$/, '');
const hostOf = (uri: string): string => plainHost(uri.replace(/^https:\/\//i, '').replace(/\/.*$/, ''));

const ignored = (reason: IgnoreReason, explanation: string): KeyEventVerdict => ({
  kind: 'ignored',
  reason,
  explanation,
});

/** Foreign text goes into logs and mails: quoted, on one line and short. */
const quoted = (value: string): string => JSON.stringify(value.length > 120 ? `${value.slice(0, 117)}...` : value);
