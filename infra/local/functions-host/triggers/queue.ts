import { ManagedIdentityCredential } from '@azure/identity';
import { type DequeuedMessageItem, type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { FunctionMetadata, Registry, TypedData } from '../core-module.ts';
import type { QueueOptions } from '../host-config.ts';
import { type Invoke, messageOf } from '../invocation.ts';
import { expandSettings, type Settings } from '../settings.ts';
import { triggerOf } from './trigger-of.ts';

export interface QueueTriggers {
  names: string[];
  start(): void;
  /** Resolves when each queue has been asked once more, and what it gave is in work. */
  polled(): Promise<void>;
  /** Messages in work. */
  readonly open: number;
  /** Stops polling and waits for the messages in hand. */
  stop(): Promise<void>;
}

/** How long a message in work stays hidden. Source: azure-webjobs-sdk, QueueListener. */
const LEASE_SECONDS = 600;
/** The host backs off to a minute; here a person is waiting. */
const SHORTEST_POLL_MS = 50;
const LONGEST_POLL_MS = 500;
/** Between attempts at a queue that does not answer. */
const LONGEST_PAUSE_MS = 10_000;

/** Polls each queue function's queue and hands messages over, at least once and in no order. */
export function createQueueTriggers(options: {
  registry: Registry;
  invoke: Invoke;
  settings: Settings;
  queues: QueueOptions;
  log(level: string, message: string): void;
}): QueueTriggers {
  const listeners = [...options.registry.functions.values()].flatMap(({ metadata }) => {
    const found = queueOf(metadata, options.settings);
    return found ? [{ name: metadata.name, ...createListener(metadata.name, found.queue, found.poison) }] : [];
  });

  return {
    names: listeners.map((listener) => listener.name),
    start() {
      for (const listener of listeners) listener.start();
    },
    async polled() {
      await Promise.all(listeners.map((listener) => listener.polled()));
    },
    get open() {
      return listeners.reduce((sum, listener) => sum + listener.open, 0);
    },
    async stop() {
      await Promise.all(listeners.map((listener) => listener.stop()));
    },
  };

  function createListener(name: string, queue: QueueClient, poison: QueueClient) {
    const { batchSize, newBatchThreshold } = options.queues;
    const inWork = new Set<Promise<void>>();
    const stopping = new AbortController();
    /** Who waits for a poll that begins after they came. */
    let asking: (() => void)[] = [];
    /** Ends the pause between two polls. */
    let rouse = (): void => undefined;
    const pause = (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        rouse = () => {
          clearTimeout(timer);
          resolve();
        };
      });

    const poll = async (): Promise<void> => {
      let created = false;
      let pauseMs = SHORTEST_POLL_MS;
      while (!stopping.signal.aborted) {
        const asked = asking;
        asking = [];
        try {
          if (!created) await queue.createIfNotExists({ abortSignal: stopping.signal });
          created = true;
          pauseMs = (await takeBatch()) > 0 ? SHORTEST_POLL_MS : Math.min(pauseMs * 2, LONGEST_POLL_MS);
        } catch (error) {
          if (stopping.signal.aborted) return;
          // It may have been deleted meanwhile.
          created = false;
          pauseMs = Math.min(Math.max(pauseMs, LONGEST_POLL_MS) * 2, LONGEST_PAUSE_MS);
          options.log('error', `Function '${name}' cannot read queue '${queue.name}': ${messageOf(error)}`);
        }
        for (const heard of asked) heard();
        if (asking.length === 0 && !stopping.signal.aborted) await pause(pauseMs);
      }
    };

    const takeBatch = async (): Promise<number> => {
      if (inWork.size > newBatchThreshold) return 0;
      const batch = await queue.receiveMessages({
        numberOfMessages: Math.min(batchSize, 32),
        visibilityTimeout: LEASE_SECONDS,
        abortSignal: stopping.signal,
      });
      for (const message of batch.receivedMessageItems) {
        const work = handle(message).catch((error: unknown) =>
          options.log('error', `Function '${name}' cannot settle message ${message.messageId}: ${messageOf(error)}`),
        );
        inWork.add(work);
        void work.finally(() => inWork.delete(work));
      }
      return batch.receivedMessageItems.length;
    };

    const handle = async (message: DequeuedMessageItem): Promise<void> => {
      const text = decode(message.messageText);
      try {
        await options.invoke(name, { kind: 'queue', data: { string: text }, metadata: metadataOf(message, text) });
      } catch {
        // Reported by the invocation; here only the message's fate is left to decide.
        return giveBack(message);
      }
      await queue.deleteMessage(message.messageId, message.popReceipt);
    };

    const giveBack = async (message: DequeuedMessageItem): Promise<void> => {
      if (message.dequeueCount < options.queues.maxDequeueCount) {
        const seconds = Math.round(options.queues.visibilityTimeoutMs / 1000);
        await queue.updateMessage(message.messageId, message.popReceipt, message.messageText, seconds);
        return;
      }
      options.log(
        'warning',
        `Message has reached MaxDequeueCount of ${options.queues.maxDequeueCount}. Moving message to queue '${poison.name}'.`,
      );
      await poison.createIfNotExists();
      await poison.sendMessage(message.messageText);
      await queue.deleteMessage(message.messageId, message.popReceipt);
    };

    return {
      start() {
        void poll();
      },
      get open() {
        return inWork.size;
      },
      polled: () =>
        new Promise<void>((resolve) => {
          asking.push(resolve);
          rouse();
        }),
      async stop() {
        stopping.abort();
        rouse();
        await Promise.all(inWork);
      },
    };
  }

  function decode(text: string): string {
    return options.queues.base64 ? Buffer.from(text, 'base64').toString('utf8') : text;
  }
}

function queueOf(
  metadata: FunctionMetadata,
  settings: Settings,
): { queue: QueueClient; poison: QueueClient } | undefined {
  const binding = triggerOf(metadata);
  if (binding?.type.toLowerCase() !== 'queuetrigger') return undefined;
  const queueName = expandSettings(String(binding.queueName ?? ''), settings);
  const service = connect(String(binding.connection || 'AzureWebJobsStorage'), settings);
  return { queue: service.getQueueClient(queueName), poison: service.getQueueClient(`${queueName}-poison`) };
}

/**
 * A connection is a prefix of settings: `X__queueServiceUri` with `X__credential` and `X__clientId`, or a connection
 * string in `X` itself. Throws an Error naming the settings when neither is there.
 */
function connect(connection: string, settings: Settings): QueueServiceClient {
  const uri = settings[`${connection}__queueServiceUri`];
  const text = settings[connection] ?? settings[`AzureWebJobs${connection}`];
  if (!uri && text) return QueueServiceClient.fromConnectionString(text);
  if (!uri)
    throw new Error(`Connection '${connection}': neither ${connection}__queueServiceUri nor ${connection} is set.`);
  const clientId = settings[`${connection}__clientId`];
  const credential = clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential();
  return new QueueServiceClient(uri, credential);
}

/** Binding data of a message, and the top-level properties of a JSON body beside it. */
function metadataOf(message: DequeuedMessageItem, text: string): Record<string, TypedData> {
  return {
    ...bodyProperties(text),
    QueueTrigger: { string: text },
    DequeueCount: { int: message.dequeueCount },
    Id: { string: message.messageId },
    InsertionTime: { string: message.insertedOn.toISOString() },
    ExpirationTime: { string: message.expiresOn.toISOString() },
    NextVisibleTime: { string: message.nextVisibleOn.toISOString() },
    PopReceipt: { string: message.popReceipt },
  };
}

function bodyProperties(text: string): Record<string, TypedData> {
  if (!text.trimStart().startsWith('{')) return {};
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, { json: JSON.stringify(value) }]));
  } catch {
    // Not JSON after all: the handler gets the text.
    return {};
  }
}
