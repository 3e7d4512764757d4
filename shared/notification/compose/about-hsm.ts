import type { Fact } from '../message.ts';
import type { ComposeContext } from '../notice.ts';
import { hsmFact } from './about-key.ts';

/** Where it was, what it is about, when it happened: the frame of every notice about an HSM as a whole. */
export const hsmFacts = (
  notice: { at: string; hsm: string },
  context: ComposeContext,
  facts: readonly (Fact | undefined)[],
): Fact[] => [
  { label: 'Installation', value: context.installation },
  hsmFact(notice.hsm, context),
  ...facts.filter((fact) => fact !== undefined),
  { label: 'At', value: notice.at },
];

/** A fact, where its value is known. */
export const factOf = (label: string, value: string | number | undefined): Fact | undefined =>
  value === undefined || value === '' ? undefined : { label, value: String(value) };

export const instantFact = (label: string, iso: string | undefined): Fact | undefined =>
  factOf(label, iso === undefined ? undefined : iso);

export const ownerOf = ({ notify }: { notify: { owner?: string } }): { owner?: string } =>
  notify.owner === undefined ? {} : { owner: notify.owner };

export const counted = (count: number, noun: string): string =>
  `${count === 1 ? 'one' : count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.4 MiB`. */
export function size(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${value.toLocaleString('en-US', { maximumFractionDigits: power === 0 ? 0 : 1 })} ${UNITS[power]}`;
}

/** `4 h 5 min`, `42 s`: the two largest parts. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    `${Math.floor(whole / 86_400)} d`,
    `${Math.floor(whole / 3600) % 24} h`,
    `${Math.floor(whole / 60) % 60} min`,
    `${whole % 60} s`,
  ];
  const first = parts.findIndex((part) => !part.startsWith('0 '));
  return first < 0
    ? '0 s'
    : parts
        .slice(first, first + 2)
        .filter((part) => !part.startsWith('0 '))
        .join(' ');
}

/** The first few, and how many more there are: a mail is no report. */
export function fewOf(items: readonly string[], most = 8): string[] {
  const more = items.length - most;
  return more <= 0 ? [...items] : [...items.slice(0, most), `${more} more`];
}
