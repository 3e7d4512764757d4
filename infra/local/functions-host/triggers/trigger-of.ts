import type { Binding, FunctionMetadata } from '../core-module.ts';

/** The binding that starts the function: the first whose type ends in `trigger`. */
export const triggerOf = (metadata: FunctionMetadata): Binding | undefined =>
  Object.values(metadata.bindings).find((binding) => binding.type.toLowerCase().endsWith('trigger'));
