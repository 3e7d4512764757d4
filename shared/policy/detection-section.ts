import type { DetectionRule, DetectorId, Parameters } from '../detection/rule.ts';

/** The section `detection` as a person writes it: groups merge member by member, lists replace. */
export interface PartialDetection
  extends Partial<Omit<DetectionRule, 'detectors' | 'calendar' | 'network' | 'learning'>> {
  detectors?: {
    [Id in DetectorId]?: { on?: boolean; suppressMinutes?: number; parameters?: Partial<Parameters<Id>> };
  };
  calendar?: Partial<Omit<DetectionRule['calendar'], 'monthEnd' | 'workingHours'>> & {
    monthEnd?: Partial<DetectionRule['calendar']['monthEnd']>;
    workingHours?: Partial<DetectionRule['calendar']['workingHours']>;
  };
  network?: Partial<DetectionRule['network']>;
  learning?: Partial<DetectionRule['learning']>;
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function merged(base: unknown, more: unknown): unknown {
  if (!isGroup(base) || !isGroup(more)) return more;
  const result = { ...base };
  for (const [name, value] of Object.entries(more)) result[name] = merged(base[name], value);
  return result;
}

export const mergeDetection = (rule: DetectionRule, more: PartialDetection | undefined): DetectionRule =>
  more === undefined ? rule : (merged(rule, more) as DetectionRule);

/** Every field that holds a value or a list, by its path: `detectors.denied-burst.parameters.least`. */
export function detectionFields(section: object, under = ''): { field: string; value: unknown }[] {
  return Object.entries(section).flatMap(([name, value]) =>
    isGroup(value) ? detectionFields(value, `${under}${name}.`) : [{ field: `${under}${name}`, value }],
  );
}
