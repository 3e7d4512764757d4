import * as z from 'zod';
import { durationMs } from '../duration.ts';
import type { EstateServices } from '../estate-services.ts';
import { IDENTITIES, type IdentityName } from '../identity/registrations.ts';
import { ALL_TABLES, takesColumn } from '../log-store/tables.ts';
import { Problem, parseBody } from './problem.ts';
import type { Route } from './routes.ts';

const duration = z.union(
  [z.number().int().nonnegative(), z.string().refine((text) => (durationMs(text, new Date(0)) ?? -1) >= 0)],
  { error: 'is an ISO 8601 duration such as PT90S, or milliseconds' },
);
const milliseconds = (given: string | number): number =>
  typeof given === 'number' ? given : (durationMs(given, new Date(0)) ?? 0);

const table = z.enum(ALL_TABLES, { error: `is ${ALL_TABLES.join(', ')}` });

const rowsInput = z
  .strictObject({
    table,
    rows: z
      .array(z.record(z.string(), z.unknown()), { error: 'is a list of rows' })
      .min(1, { error: 'has one row at least' }),
    /** From now until these rows can be queried; default: as the estate's own. */
    delay: duration.optional(),
    /** When they became visible, for rows of the past. */
    ingestedAt: z.iso.datetime({ offset: true, error: 'is an ISO 8601 instant with its zone' }).optional(),
  })
  .refine(({ delay, ingestedAt }) => delay === undefined || ingestedAt === undefined, {
    ...{ error: 'excludes delay', path: ['ingestedAt'] },
  });

const ingestionInput = z.strictObject({
  delay: duration.optional(),
  spread: duration.optional(),
  duplicates: z.int().min(0).max(10, { error: 'is 0 to 10' }).optional(),
  outage: z.enum(['none', 'lose', 'hold'], { error: 'is none, lose or hold' }).optional(),
});

const destination = z.enum(['AZKVAuditLogs', 'AzureDiagnostics', 'both'], {
  error: 'is AZKVAuditLogs, AzureDiagnostics or both',
});
const settingsInput = z.strictObject({
  tables: destination.optional(),
  hsms: z.record(z.string(), destination).optional(),
  identity: z.enum(['object', 'text'], { error: 'is object or text' }).optional(),
  claims: z.enum(['long', 'short'], { error: 'is long or short' }).optional(),
  allColumns: z.boolean().optional(),
  missingTables: z.array(table).optional(),
});

const roleInput = z.strictObject({
  identity: z.enum(Object.keys(IDENTITIES) as [IdentityName, ...IdentityName[]], {
    error: `is one of ${Object.keys(IDENTITIES).join(', ')}`,
  }),
  role: z.enum(['Log Analytics Reader', 'none'], { error: 'is Log Analytics Reader or none' }),
});

const instant = (name: string, value: string | null): Date | undefined => {
  if (value === null) return undefined;
  if (Number.isNaN(Date.parse(value)))
    throw new Problem(400, 'ERR_INPUT', `${name} is not an instant.`, [
      { field: name, rule: 'is an ISO 8601 instant' },
    ]);
  return new Date(value);
};

const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };

/** The log workspace: its rows, how they arrive and look, and who may read them. */
export const logRoutes = ({ logs, logQueries }: EstateServices): Route[] => [
  {
    method: 'GET',
    path: '/logs/rows',
    purpose: 'Audit rows that can be queried by now. ?from= and ?to= bound the time of the operation.',
    act({ query }) {
      const [from, to] = [instant('from', query.get('from')), instant('to', query.get('to'))];
      return { value: logs.rows({ ...(from ? { from } : {}), ...(to ? { to } : {}) }), pending: logs.pending() };
    },
  },
  {
    method: 'POST',
    path: '/logs/rows',
    purpose: 'Injects rows in a table’s own shape, also of the past: delay or ingestedAt say when they become visible.',
    example: { table: 'AZKVAuditLogs', rows: [{ OperationName: 'KeyDelete', ResultType: 'Success' }], delay: 'PT0S' },
    act({ body }) {
      const { table: name, rows, delay, ingestedAt } = parseBody(rowsInput, body());
      const faults = rows.flatMap((row, index) => [
        ...Object.keys(row)
          .filter((column) => !takesColumn(name, column))
          .map((column) => ({ field: `rows.${index}.${column}`, rule: `is no column of ${name}` })),
        ...(row.TimeGenerated !== undefined && Number.isNaN(Date.parse(String(row.TimeGenerated)))
          ? [{ field: `rows.${index}.TimeGenerated`, rule: 'is an ISO 8601 instant' }]
          : []),
      ]);
      if (faults.length > 0) throw new Problem(400, 'ERR_INPUT', `${faults.length} field(s) are wrong.`, faults);
      const arrival = {
        ...(delay === undefined ? {} : { delayMs: milliseconds(delay) }),
        ...(ingestedAt === undefined ? {} : { ingestedAt: new Date(ingestedAt) }),
      };
      return { value: rows.map((row) => logs.inject(name, row, arrival)) };
    },
  },
  {
    method: 'POST',
    path: '/logs/ingestion',
    purpose: 'How rows written from now on arrive: delay, spread, duplicates, and an outage that loses or holds them.',
    example: { delay: 'PT3M', spread: 'PT2M', duplicates: 0, outage: 'none' },
    act({ body }) {
      const { delay, spread, ...change } = parseBody(ingestionInput, body());
      return logs.ingestion({
        ...given(change),
        ...(delay === undefined ? {} : { delayMs: milliseconds(delay) }),
        ...(spread === undefined ? {} : { spreadMs: milliseconds(spread) }),
      });
    },
  },
  {
    method: 'POST',
    path: '/logs/settings',
    purpose: 'Which table the HSMs’ rows go to, how their caller is written, and which columns and tables there are.',
    example: { tables: 'AzureDiagnostics', identity: 'object', claims: 'long', allColumns: false, missingTables: [] },
    act: ({ body }) => logs.settings(given(parseBody(settingsInput, body()))),
  },
  {
    method: 'POST',
    path: '/logs/roles',
    purpose: 'Lets an identity read the workspace, or not; observe and administrator may at first.',
    example: { identity: 'observe', role: 'none' },
    act({ body }) {
      const { identity, role } = parseBody(roleInput, body());
      const { objectId } = IDENTITIES[identity];
      if (role === 'none') logQueries.readers.delete(objectId);
      else logQueries.readers.add(objectId);
    },
  },
];
