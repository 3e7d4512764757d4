/** Event Grid's own schema. Source: Azure/azure-rest-api-specs, EventGrid 2018-01-01. */
export interface EventGridEvent {
  id: string;
  subject: string;
  eventType: string;
  eventTime: string;
  data: unknown;
  dataVersion: string;
  topic?: string;
  metadataVersion?: string;
}

export interface CloudEvent {
  specversion: string;
  id: string;
  source: string;
  type: string;
  subject?: string;
  time?: string;
  data?: unknown;
  [extension: string]: unknown;
}

export type Schema = 'EventGridSchema' | 'CloudEventSchemaV1_0';

/** An event the topic took, in the schema it arrived in. */
export interface TakenEvent {
  schema: Schema;
  id: string;
  type: string;
  subject: string;
  body: EventGridEvent | CloudEvent;
}

/** The reason why the topic would refuse the batch with 400. */
export class InvalidEvents extends Error {}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads one published body, an event or a batch. Throws InvalidEvents naming the field and the rule. */
export function readEvents(body: unknown, schema: Schema, topicId: string): TakenEvent[] {
  const events = Array.isArray(body) ? body : [body];
  return events.map((event, index) => {
    if (!isObject(event)) throw new InvalidEvents(`Event ${index} is not an object.`);
    const text = (field: string): string => {
      const value = event[field];
      if (typeof value === 'string' && value !== '') return value;
      throw new InvalidEvents(`Event ${index}: ${field} must be a non-empty string.`);
    };
    if (schema === 'CloudEventSchemaV1_0') {
      if (event.specversion !== '1.0') throw new InvalidEvents(`Event ${index}: specversion must be 1.0.`);
      const taken = { schema, id: text('id'), type: text('type') };
      text('source');
      return { ...taken, subject: String(event.subject ?? ''), body: event as CloudEvent };
    }
    if (event.data === undefined) throw new InvalidEvents(`Event ${index}: data is required.`);
    if (Number.isNaN(Date.parse(text('eventTime'))))
      throw new InvalidEvents(`Event ${index}: eventTime is not a time.`);
    const taken = { schema, id: text('id'), type: text('eventType'), subject: text('subject') };
    // The publisher sends neither: Event Grid stamps them on delivery.
    const stamped = { ...event, dataVersion: text('dataVersion'), topic: topicId, metadataVersion: '1' };
    return { ...taken, body: stamped as unknown as EventGridEvent };
  });
}

/** The event as a subscription wants it. */
export function inSchema(event: TakenEvent, schema: Schema): EventGridEvent | CloudEvent {
  if (event.schema === schema) return event.body;
  if (schema === 'EventGridSchema') throw new Error('Event Grid does not turn a CloudEvent into its own schema.');
  const body = event.body as EventGridEvent;
  return {
    specversion: '1.0',
    id: body.id,
    source: body.topic ?? '',
    type: body.eventType,
    subject: body.subject,
    time: body.eventTime,
    data: body.data,
  };
}
