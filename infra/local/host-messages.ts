/**
 * What the launcher and the Functions host tell each other over Node's IPC channel. The host ends itself on `disconnect`,
 * so that no host outlives a launcher that was killed.
 */
export type ToHost =
  /** Estate time minus real time; sent at start and after every move of the clock. */
  { type: 'clock'; offsetMs: number };

export type FromHost =
  /** Functions are loaded and http is served. */
  | { type: 'ready'; url: string; functions: string[] }
  /** The app cannot start; the host ends after this. */
  | { type: 'failed'; message: string }
  | { type: 'log'; level: 'info' | 'warning' | 'error'; message: string };

/** Environment of the host process beside the app settings. */
export interface HostEnvironment {
  /** Port to serve; the same one after a restart. */
  ESTATE_HOST_PORT: string;
  /** Directory of the durable store. */
  ESTATE_HOST_STATE: string;
  /** Clock offset at start, in milliseconds, before the first message. */
  ESTATE_CLOCK_OFFSET_MS: string;
  /** JSON of AppKeys. */
  ESTATE_APP_KEYS: string;
  NODE_EXTRA_CA_CERTS: string;
}

/** Keys of the function app, as `az functionapp keys list` shows them. */
export interface AppKeys {
  master: string;
  /** Function key `default`, accepted by every function with authLevel `function`. */
  function: string;
  /** System key `eventgrid_extension`. */
  eventGrid: string;
  /** System key `durabletask_extension`. */
  durableTask: string;
}
