import type { HappeningListener } from './story.ts';
import type { Schema } from './topic/events.ts';
import type { Subscription } from './topic/subscription.ts';

export interface HostOptions {
  /** Where host.js and preload.js are. */
  directory: string;
  /** The folder of the app: package.json, whose `main` is loaded, and host.json. */
  appRoot: string;
}

export interface EstateOptions {
  /** `empty`, `demo`, `single`, `drill` or the path of a seed file; default `demo`. */
  seed?: string;
  /** Whether deleted keys are kept until their retention ends; default true. Off: they can be purged. */
  purgeProtection?: boolean;
  /** First of a run of fixed ports; default 0: free ones. */
  port?: number;
  /** Estate time of the first start, an ISO instant; default: that of the machine. */
  startAt?: string;
  /** Keeps everything in this directory over restarts; absent: a temporary one. */
  stateDirectory?: string;
  /** Keeps blobs in files even without a state directory: for backups of gigabytes, which memory would not hold. */
  blobsOnDisk?: boolean;
  /** App settings on top of, and instead of, those of app-settings.ts. */
  settings?: Record<string, string>;
  /** The Functions host and its app; false: none; default: those that npm run build makes, if it has. */
  host?: false | HostOptions;
  /** Subscriptions of the topic; default: one, into the queue `key-events`. */
  subscriptions?: readonly Subscription[];
  /** Schema that the topic takes; default CloudEvents. */
  topicSchema?: Schema;
  /** Estate milliseconds until an audit row can be queried; default one minute. */
  ingestionDelayMs?: number;
  /** Offers STARTTLS in the mail sink; default no. */
  startTls?: boolean;
  /** Has the app send events and notices to the webhook sink as well; default no. */
  webhook?: boolean;
  /** Has the app judge the audit logs every five minutes; default no: a story that is not about it must not wait for it. */
  detection?: boolean;
  onHappening?: HappeningListener;
}

export const DEFAULT_SUBSCRIPTIONS: readonly Subscription[] = [
  {
    // Event Grid cannot push into a private endpoint: in Azure, too, the topic delivers to a queue.
    name: 'key-events',
    destination: { kind: 'queue', queue: 'key-events' },
    schema: 'CloudEventSchemaV1_0',
    includedEventTypes: [
      'ManagedHsmLifecycle.KeyNearExpiry',
      'ManagedHsmLifecycle.KeyExpired',
      'Microsoft.KeyVault.KeyNearExpiry',
      'Microsoft.KeyVault.KeyExpired',
    ],
    deadLetterContainer: 'dead-letters',
  },
];
