import * as z from 'zod';
import { DURATION_PATTERN, parseDay, parseInstant } from '../time.ts';

/** The values that several parts of the policy document are made of, each with the sentence told when it is none. */
export const duration = z
  .string({ error: 'is an ISO 8601 duration' })
  .regex(DURATION_PATTERN, { error: 'is an ISO 8601 duration of whole parts' })
  .describe('ISO 8601 duration, such as P30D, P18M or PT4H');

export const instant = z
  .string({ error: 'is an instant' })
  .refine((text) => parseInstant(text) !== undefined, { error: 'is an existing ISO 8601 instant with its zone' })
  .describe('ISO 8601 instant with its zone');

export const day = z
  .string({ error: 'is a day' })
  .refine((text) => parseDay(text) !== undefined, { error: 'is an existing day, YYYY-MM-DD' })
  .describe('Day, YYYY-MM-DD');

export const localTime = z
  .string({ error: 'is a local time' })
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'is a local time, hours and minutes' })
  .describe('Local time HH:MM');

export const text = z
  .string({ error: 'is a text' })
  .trim()
  .min(1, { error: 'is not empty' })
  .max(256, { error: 'is 256 characters at most' });

export const pattern = text
  .regex(/^[0-9A-Za-z*?-]+$/, { error: 'is made of letters, digits, hyphens, * for any run and ? for one character' })
  .describe('Name pattern: * is any run of characters, ? is one');

export const region = text
  .regex(/^[a-z][a-z0-9]+$/, { error: 'is the short name of an Azure region, lower case without blanks' })
  .describe('Azure region, such as westeurope');

export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, { error: `is one of ${values.join(', ')}` });

/** A whole number in a range. */
export const count = (least: number, most: number) => {
  const error = `is a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

export const amount = z.number({ error: 'is a number' }).positive({ error: 'is more than nothing' });
