import type { ControlPlaneAct, HourVolume } from '../../detection/audit-call.ts';
import { buildQuery, type LogTable, type QueryName } from '../../detection/queries/build-query.ts';
import type { KqlValue } from '../../detection/queries/literal.ts';
import { AppError } from '../../errors.ts';
import type { AuditLog, LogWindow, VersionAnswer, VersionQuestion } from '../../ports/audit-log.ts';
import {
  readArrivals,
  readControlPlaneAct,
  readGroups,
  readSignIns,
  readVersionUse,
  readVolume,
} from './audit-rows.ts';
import { unknownHsm } from './hsm-client.ts';
import { createLogQuery, type LogQueryOptions } from './log-query.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/**
 * A row that claims to be older than two days, or more than a day ahead, is given its arrival as its time.
 * https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns#timegenerated
 */
const OLDEST_MS = 2 * DAY_MS;
const AHEAD_MS = DAY_MS;
/** A copy of a row that comes within so long is known for one. */
const CONTEXT_MS = HOUR_MS;
const BIN_SECONDS = 600;
const COARSE_SECONDS = 86_400;
/** Groups that one answer brings, a few megabytes; those beyond are counted. */
const MOST_GROUPS = 5_000;
const MOST_VOLUMES = 50_000;
const MOST_SIGN_INS = 500;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A resource goes by its id in the log, which says nothing of the name in our settings. */
interface LoggedHsm {
  name: string;
  resourceId: string;
}

/** The audit rows of the given HSMs in one Log Analytics workspace, in either or both of the tables. */
export function createAuditLog(
  options: LogQueryOptions & { hsms: LoggedHsm[]; tables: readonly LogTable[]; mostGroups?: number },
): AuditLog {
  const { hsms, tables, mostGroups = MOST_GROUPS } = options;
  const run = createLogQuery(options);

  const ask = (
    name: QueryName,
    hsm: string,
    span: { from: Date; to: Date },
    values: Record<string, KqlValue>,
  ): ReturnType<typeof run> => {
    const settings = hsms.find((each) => each.name === hsm);
    if (!settings) throw unknownHsm(hsm);
    const common = { ...namesOf(settings), oldest: span.from };
    return run(
      `read the audit log of ${hsm} (${name})`,
      buildQuery(
        name,
        tables,
        name === 'controlPlane' ? { ...common, ...scopesOf(settings), ...values } : { ...common, ...values },
      ),
      span,
    );
  };

  const askWindow = (name: QueryName, { hsm, after, upTo, coarse }: LogWindow) => {
    const [afterTime, upToTime] = [new Date(after), new Date(upTo)];
    const span = {
      from: new Date(afterTime.getTime() - OLDEST_MS),
      to: new Date(upToTime.getTime() + AHEAD_MS),
    };
    const context = new Date(afterTime.getTime() - CONTEXT_MS);
    const step = { seconds: coarse ? COARSE_SECONDS : BIN_SECONDS };
    return ask(name, hsm, span, { context, after: afterTime, upTo: upToTime, step, most: mostGroups });
  };

  const groups = async (name: QueryName, window: LogWindow) => readGroups(window.hsm, await askWindow(name, window));

  /** Halved while it is too much for one answer; an hour that is too much gives its largest volumes. */
  const hourVolumes = async (hsm: string, from: string, to: string): Promise<HourVolume[]> => {
    const span = { from: new Date(from), to: new Date(to) };
    if (span.to <= span.from) return [];
    const values = { start: span.from, end: span.to, most: MOST_VOLUMES };
    const records = await ask('hourVolumes', hsm, span, values);
    const hours = Math.round((span.to.getTime() - span.from.getTime()) / HOUR_MS);
    if (records.length < MOST_VOLUMES || hours <= 1) return records.map((record) => readVolume(hsm, record));
    const half = new Date(span.from.getTime() + Math.floor(hours / 2) * HOUR_MS).toISOString();
    return [...(await hourVolumes(hsm, from, half)), ...(await hourVolumes(hsm, half, to))];
  };

  /** Halved while it is too much for one answer; ten minutes of arrival that are too much give the first of it. */
  const controlPlane = async (window: LogWindow): Promise<ControlPlaneAct[]> => {
    const [after, upTo] = [Date.parse(window.after), Date.parse(window.upTo)];
    const records = await askWindow('controlPlane', window);
    if (records.length < mostGroups || upTo - after <= BIN_SECONDS * 1000) {
      return records.map((record) => readControlPlaneAct(window.hsm, record));
    }
    const half = new Date(after + Math.floor((upTo - after) / 2)).toISOString();
    return [...(await controlPlane({ ...window, upTo: half })), ...(await controlPlane({ ...window, after: half }))];
  };

  /** Halved while it is too much for one answer; a key that is too much by itself is left out, for its use is not known. */
  const versionUse = async (question: VersionQuestion): Promise<VersionAnswer> => {
    const { hsm, keys, upTo, refused = 'none' } = question;
    if (keys.length === 0) return new Map();
    const starts = new Map(keys.map(({ name, since }) => [name.toLowerCase(), new Date(since)]));
    const from = new Date(Math.min(...[...starts.values()].map((start) => start.getTime())));
    const span = { from, to: new Date(Date.parse(upTo) + AHEAD_MS) };
    const values = { starts, refused: refused.toLowerCase(), most: mostGroups };
    const { uses, more } = readVersionUse(await ask('versionUse', hsm, span, values));
    if (more === 0) return new Map(keys.map(({ name }) => [name, uses.get(name.toLowerCase()) ?? []]));
    if (keys.length === 1) return new Map();
    const half = Math.ceil(keys.length / 2);
    const halves = [keys.slice(0, half), keys.slice(half)];
    const answers: VersionAnswer[] = [];
    for (const part of halves) answers.push(await versionUse({ ...question, keys: part }));
    return new Map(answers.flatMap((answer) => [...answer]));
  };

  return {
    sensitiveCalls: (window) => groups('sensitiveCalls', window),
    refusedCalls: (window) => groups('refusedCalls', window),
    keyUse: (window) => groups('keyUse', window),
    hourVolumes,

    async arrivals(hsm, from, to, { oid = '', clientId = '', path }) {
      const span = { from: new Date(from), to: new Date(to) };
      const records = await ask('arrivals', hsm, span, {
        start: span.from,
        end: span.to,
        canaryPath: path.toLowerCase(),
        // Rows that name nobody are nobody's canary.
        canaryOid: oid.toLowerCase() || 'none',
        canaryApp: clientId.toLowerCase() || 'none',
        most: mostGroups,
      });
      return records.map((record) => readArrivals(hsm, record));
    },

    controlPlane,

    async signIns(who, after, upTo) {
      if (!GUID.test(who)) {
        throw new AppError('ERR_INPUT', `Sign-ins of ${who.slice(0, 60)} cannot be asked for: it is no object id.`, {
          nextStep: 'Nothing: the caller of a log row is whatever the row says.',
        });
      }
      const span = { from: new Date(after), to: new Date(upTo) };
      const values = { who: who.toLowerCase(), after: span.from, upTo: span.to, most: MOST_SIGN_INS };
      const act = 'read the sign-ins of a caller';
      return readSignIns(await run(act, buildQuery('signIns', tables, values), span), MOST_SIGN_INS);
    },

    versionUse,
  };
}

const namesOf = ({ resourceId }: LoggedHsm) => ({
  hsmResource: resourceId.toLowerCase(),
  // As Azure names it, which is not always how our settings do.
  hsmName: resourceId.toLowerCase().split('/').at(-1) ?? '',
});

const scopesOf = ({ resourceId }: LoggedHsm) => {
  const segments = resourceId.toLowerCase().split('/');
  return { hsmSubscription: segments.slice(0, 3).join('/'), hsmGroup: segments.slice(0, 5).join('/') };
};
