/** The only source of time in activities and adapters. Orchestrators use context.df.currentUtcDateTime. */
export interface Clock {
  now(): Date;
}
