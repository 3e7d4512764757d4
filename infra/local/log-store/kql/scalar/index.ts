import { CONVERSIONS } from './conversion.ts';
import { DYNAMIC } from './dynamic.ts';
import type { ScalarFunction } from './function.ts';
import { LOGIC } from './logic.ts';
import { NETWORK } from './network.ts';
import { NUMBERS } from './numbers.ts';
import { TEXT } from './text.ts';
import { TIME } from './time.ts';

/** Every scalar function that is executed, by name; what is not here is refused. */
export const FUNCTIONS: Readonly<Record<string, ScalarFunction>> = Object.assign(
  Object.create(null) as Record<string, ScalarFunction>,
  ...[CONVERSIONS, DYNAMIC, LOGIC, NETWORK, NUMBERS, TEXT, TIME],
);
