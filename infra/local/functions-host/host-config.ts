import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expandSettings, parseTimeSpan, type Settings } from './settings.ts';

export interface QueueOptions {
  base64: boolean;
  batchSize: number;
  newBatchThreshold: number;
  maxDequeueCount: number;
  /** Wait before a failed message is visible again. */
  visibilityTimeoutMs: number;
}

/** What the emulated host takes from host.json; the other keys mean nothing here. */
export interface HostConfig {
  routePrefix: string;
  functionTimeoutMs: number;
  queues: QueueOptions;
  hubName: string;
  storageConnection: string;
  maxConcurrentActivities: number;
  maxConcurrentOrchestrators: number;
}

interface HostJson {
  version?: string;
  functionTimeout?: string;
  extensions?: {
    http?: { routePrefix?: string };
    queues?: {
      messageEncoding?: string;
      batchSize?: number;
      newBatchThreshold?: number;
      maxDequeueCount?: number;
      visibilityTimeout?: string;
    };
    durableTask?: {
      hubName?: string;
      storageProvider?: { connectionName?: string };
      maxConcurrentActivityFunctions?: number;
      maxConcurrentOrchestratorFunctions?: number;
    };
  };
}

/** Reads host.json of an app folder. Throws when it is absent, is not version 2.0 or names a setting that is missing. */
export function readHostConfig(appRoot: string, settings: Settings): HostConfig {
  const host = JSON.parse(readFileSync(join(appRoot, 'host.json'), 'utf8')) as HostJson;
  if (host.version !== '2.0') throw new Error(`host.json: version must be "2.0", not ${JSON.stringify(host.version)}.`);
  const { http = {}, queues = {}, durableTask = {} } = host.extensions ?? {};
  const batchSize = queues.batchSize ?? 16;
  return {
    routePrefix: (http.routePrefix ?? 'api').replace(/^\/|\/$/g, ''),
    // -1 is "no limit", which only the dedicated plans allow.
    functionTimeoutMs:
      host.functionTimeout === '-1' ? Infinity : timeSpan('functionTimeout', host.functionTimeout ?? '00:30:00'),
    queues: {
      base64: (queues.messageEncoding ?? 'base64') === 'base64',
      batchSize,
      newBatchThreshold: queues.newBatchThreshold ?? Math.floor(batchSize / 2),
      maxDequeueCount: queues.maxDequeueCount ?? 5,
      visibilityTimeoutMs: timeSpan('visibilityTimeout', queues.visibilityTimeout ?? '00:00:00'),
    },
    hubName: hubName(expandSettings(durableTask.hubName ?? defaultHubName(settings), settings)),
    storageConnection: durableTask.storageProvider?.connectionName ?? 'AzureWebJobsStorage',
    maxConcurrentActivities: durableTask.maxConcurrentActivityFunctions ?? 10 * availableParallelism(),
    maxConcurrentOrchestrators: durableTask.maxConcurrentOrchestratorFunctions ?? 10 * availableParallelism(),
  };
}

function timeSpan(name: string, text: string): number {
  const ms = parseTimeSpan(text);
  if (ms === undefined) throw new Error(`host.json: ${name} "${text}" is not a time span like "00:05:00".`);
  return ms;
}

const defaultHubName = (settings: Settings): string =>
  settings.WEBSITE_SITE_NAME?.replace(/[^a-zA-Z0-9]/g, '') || 'TestHubName';

/** Azure Storage names its tables and queues after the hub. */
function hubName(name: string): string {
  if (/^[a-zA-Z][a-zA-Z0-9]{2,44}$/.test(name)) return name;
  throw new Error(
    `Task hub name '${name}' should contain only alphanumeric characters, start with a letter and have 3 to 45 of them.`,
  );
}
