import pc from 'picocolors';
import type { AuditRow } from './estate.ts';
import type { Ready } from './ready-file.ts';
import type { Happening } from './story.ts';
import type { CloudEvent, EventGridEvent } from './topic/events.ts';

/** One line of the story. */
export interface Line {
  what: string;
  subject: string;
  result: string;
  tone: 'good' | 'bad' | 'plain' | 'quiet';
}

/** The table of addresses and where to look next. */
export function greeting(ready: Ready, timers: readonly string[], seconds: number): string {
  const { control } = ready;
  const addresses: [string, string][] = [
    ['app', ready.host || 'none: npm run build makes it'],
    ...ready.hsms.map(({ name, uri }): [string, string] => [`HSM ${name}`, uri]),
    ['storage', ready.blob],
    ['topic', ready.topic],
    ['mail', ready.mail],
    ['control', control],
  ];
  const commands: [string, string][] = [
    ...timers
      .slice(0, 1)
      .map((timer): [string, string] => ['run a timer', `curl -X POST ${control}/timers/${timer}/run`]),
    ['move time', `curl -X POST ${control}/clock -d '{"advance":"P1D"}'`],
    ['read mail', `curl ${control}/mail`],
    ['see events', `curl ${control}/events`],
  ];
  const width = Math.max(...[...addresses, ...commands].map(([name]) => name.length));
  const table = (rows: [string, string][]) => rows.map(([name, value]) => `  ${pc.dim(name.padEnd(width))}  ${value}`);
  return [
    `${pc.bold('Embedded estate')} ${pc.dim(`up in ${seconds.toFixed(1)} s`)}`,
    '',
    ...table(addresses),
    '',
    ...table(commands),
    '',
    pc.dim('  The journal is in the blob container journal; the control page lists all that can be done. Ctrl-C ends.'),
    '',
  ].join('\n');
}

/** What is left to say at the end; `kept` is the directory of the state, if it outlives the estate. */
export const farewell = (kept: string | undefined): string =>
  pc.dim(
    kept === undefined ? 'Stopped. Nothing was kept: --state DIR keeps it.' : `Stopped. Everything is kept in ${kept}.`,
  );

/** The line for a happening; undefined for what would only be noise. */
export function lineFor(happening: Happening): Line | undefined {
  switch (happening.kind) {
    case 'audit':
      return auditLine(happening.row);
    case 'event':
      return eventLine(happening.event.body, happening.event.type, happening.event.subject);
    case 'delivery': {
      const { delivery, event } = happening;
      if (delivery.state === 'delivered' || delivery.attempts.at(-1)?.ok === true) return undefined;
      const result =
        delivery.state === 'pending'
          ? `will be tried again: ${delivery.attempts.at(-1)?.detail ?? ''}`
          : (delivery.reason ?? delivery.state);
      return {
        what: 'undelivered',
        subject: `${inWords(shortType(event.type))} to ${delivery.subscription}`,
        result,
        tone: 'bad',
      };
    }
    case 'mail':
      return { what: 'mailed', subject: happening.mail.to.join(', '), result: happening.mail.subject, tone: 'good' };
    case 'webhook':
      return {
        what: 'webhook',
        subject: happening.call.path,
        result: `answered ${happening.call.status ?? 'nothing'}`,
        tone: 'plain',
      };
    case 'clock':
      return { what: 'time moved', subject: '', result: `it is ${happening.now.toISOString()}`, tone: 'plain' };
    case 'host':
      return hostLine(happening.change);
  }
}

/** Calls that change something, and calls that were refused; reading and cryptography that worked is daily business. */
const TELLING: Record<string, string> = {
  KeyCreate: 'created',
  KeyImport: 'imported',
  KeyRotate: 'rotated',
  KeyRotateIfDue: 'rotated by HSM',
  KeyDelete: 'deleted',
  KeyPurge: 'purged',
  KeyRecover: 'recovered',
  KeyBackup: 'key backed up',
  KeyRestore: 'key restored',
  BackupCreate: 'backup started',
  KeyRotationPolicySet: 'policy set',
};

function auditLine(row: AuditRow): Line | undefined {
  const subject = row.id === undefined ? row.hsm : `${row.hsm}/${keyName(row.id)}`;
  if (row.httpStatusCode >= 400) {
    // Asking for what is not there is a question, not a failure.
    if (row.httpStatusCode === 404) return undefined;
    const reason = row.resultDescription === undefined ? '' : ` ${firstLine(row.resultDescription)}`;
    return { what: 'HSM refused', subject, result: `${row.operationName} ${row.httpStatusCode}${reason}`, tone: 'bad' };
  }
  const what = TELLING[row.operationName];
  return what === undefined ? undefined : { what, subject, result: '', tone: 'plain' };
}

const keyName = (id: string): string => /\/keys\/([^/]+)/.exec(id)?.[1] ?? id;
const firstLine = (text: string): string => text.split('\n')[0]?.slice(0, 100) ?? '';
const shortType = (type: string): string => type.replace(/^(ManagedHsmLifecycle|Microsoft\.KeyVault)\./, '');

type Body = EventGridEvent | CloudEvent;

function eventLine(body: Body, type: string, subject: string): Line {
  const name = shortType(type);
  const facts = (typeof body.data === 'object' && body.data !== null ? body.data : {}) as Record<string, unknown>;
  const about = `${sourceName(body)}${subject.replace(/^keys\//, '')}`;
  const said = (field: string): string => (typeof facts[field] === 'string' ? facts[field] : '');
  switch (name) {
    case 'KeyNearExpiry':
    case 'KeyExpired': {
      const what = name === 'KeyExpired' ? 'expired' : 'near expiry';
      return { what, subject: about, result: distance(facts.EXP, body), tone: 'plain' };
    }
    case 'KeyNewVersionCreated': {
      const isProven = said('proof') === 'proven';
      const result = `version ${said('Version').slice(0, 8)}${isProven ? '' : `, ${said('proof') || 'proof unknown'}`}`;
      return { what: isProven ? 'proven' : 'new version', subject: about, result, tone: isProven ? 'good' : 'plain' };
    }
    case 'KeyRotationRefused':
      return { what: 'refused', subject: about, result: said('reason'), tone: 'bad' };
    default:
      return {
        what: inWords(name),
        subject: about,
        result: firstLine(said('reason') || said('code') || said('detail')),
        tone: /Failed|Missed|Overdue|AtRisk/.test(name)
          ? 'bad'
          : /Completed|Passed|Closed/.test(name)
            ? 'good'
            : 'plain',
      };
  }
}

/** `contoso/`, from the HSM's resource id. */
function sourceName(body: Body): string {
  const source = 'source' in body ? String(body.source) : (body.topic ?? '');
  const name = source.split('/').at(-1) ?? '';
  return name === '' ? '' : `${name}/`;
}

/** How far the expiry lies from the event, in days. */
function distance(exp: unknown, body: Body): string {
  const time = Date.parse(String('time' in body ? body.time : body.eventTime));
  const days = Math.round((Number(exp) * 1000 - time) / 86_400_000);
  if (exp === null || Number.isNaN(days)) return '';
  const unit = Math.abs(days) === 1 ? 'day' : 'days';
  return days >= 0 ? `in ${days} ${unit}` : `${-days} ${unit} ago`;
}

const inWords = (name: string): string => name.replace(/(?<=[a-z])([A-Z])/g, ' $1').toLowerCase();

function hostLine(change: Extract<Happening, { kind: 'host' }>['change']): Line | undefined {
  switch (change.kind) {
    case 'up':
      return { what: 'app up', subject: '', result: `process ${change.pid}`, tone: 'quiet' };
    case 'down':
      return { what: 'app down', subject: '', result: change.reason, tone: 'bad' };
    case 'printed':
      return change.stream === 'stderr'
        ? { what: 'app says', subject: '', result: firstLine(change.text), tone: 'bad' }
        : undefined;
    case 'told': {
      const { message } = change;
      if (message.type !== 'log' || !/^(error|critical)$/i.test(message.level)) return undefined;
      return {
        what: 'app error',
        subject: message.functionName ?? '',
        result: firstLine(message.message),
        tone: 'bad',
      };
    }
  }
}

const TONES = { good: pc.green, bad: pc.red, plain: (text: string) => text, quiet: pc.dim };

/** `HH:MM:SS  what  subject  result`, the time being estate time. */
export function printLine(line: Line, now: Date): string {
  const time = pc.dim(now.toISOString().slice(11, 19));
  const subject = line.subject === '' ? '' : `${line.subject.padEnd(34)}  `;
  return `${time}  ${TONES[line.tone](line.what.padEnd(20))}  ${subject}${line.result}`;
}
