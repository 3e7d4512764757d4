import type { Markup } from '../notification/markup.ts';
import { type Tone, table, text, toned } from '../notification/render-page.ts';
import type { RestoreDifference } from './compare-with-manifest.ts';

const SEVERITY: Record<string, Tone> = { critical: 'bad', warning: 'fair', note: 'muted' };

/** A page of differences tells no more than the first ones; the JSON has them all. */
const MOST_DIFFERENCES = 200;

export const shownDifferences = (all: readonly RestoreDifference[]) => all.slice(0, MOST_DIFFERENCES);

/** What came back otherwise than the manifest says. */
export const differencesTable = (caption: string, all: readonly RestoreDifference[]): Markup =>
  table(
    caption,
    ['Where', 'Severity', 'What', 'Expected', 'Found'],
    shownDifferences(all).map(({ subject, severity, kind, attribute, expected, found }) => [
      text(subject),
      toned(SEVERITY[severity] ?? 'muted', severity),
      text(attribute === undefined ? kind : `${kind}: ${attribute}`),
      text(expected ?? '–'),
      text(found ?? '–'),
    ]),
  );
