import { createHash } from 'node:crypto';
import { startEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import { createObserver } from '../../infra/local/scenarios/observer.ts';
import { median, type Row } from './table.ts';

const KEYS = 12;

/**
 * From the moment an event is published to the moment the new version is announced as proven, as a ratio to the bare calls
 * that rotate and prove a key. Between the two lie the topic, the queue, the durable engine, journal, ledger and read-back.
 */
export async function latency(): Promise<Row[]> {
  const estate = await startEstate({ seed: 'empty', port: 0 });
  try {
    const look = createObserver(estate);
    const names = (await look.plantDue('latency', KEYS + 1)).map((name) => name.replace('contoso/', ''));
    const bare = await bareCalls(
      estate,
      (await look.plantDue('bare', KEYS + 1)).map((name) => name.replace('contoso/', '')),
    );
    const times: number[] = [];
    for (const name of names) {
      const version = estate.hsms[0]
        ?.keys()
        .keys.find((key) => key.name === name)
        ?.versions.at(-1);
      const startedAt = performance.now();
      estate.topic.publish([nearExpiry(estate.ready.hsms[0], name, version)], 'CloudEventSchemaV1_0');
      await look.until(
        () => look.events('KeyNewVersionCreated').some(({ subject }) => subject === `keys/${name}`),
        `${name} to be proven`,
      );
      times.push(performance.now() - startedAt);
    }
    // The first of each warms up.
    const [ours, base] = [median(times.slice(1)), median(bare.slice(1))];
    return [
      [
        'event to proven, as a ratio to the bare rotate-and-prove calls',
        `${(ours / base).toFixed(1)} x`,
        `${ours.toFixed(0)} ms and ${base.toFixed(0)} ms`,
      ],
    ];
  } finally {
    await estate.stop();
  }
}

function nearExpiry(
  hsm: { resourceId: string; uri: string; name: string } | undefined,
  name: string,
  version: { version: string; attributes: Record<string, unknown> } | undefined,
) {
  if (!hsm || !version) throw new Error(`no such key: ${name}`);
  return {
    specversion: '1.0',
    id: `bench-${name}`,
    source: hsm.resourceId,
    subject: `keys/${name}`,
    type: 'ManagedHsmLifecycle.KeyNearExpiry',
    time: new Date().toISOString(),
    data: {
      Id: `${hsm.uri}/keys/${name}/${version.version}`,
      VaultName: hsm.name,
      ObjectType: 'Key',
      ObjectName: name,
      Version: version.version,
      NBF: null,
      EXP: version.attributes.exp,
    },
  };
}

/** Rotate, sign with the new version, verify with new and old: what any rotation that is proven must at least do. */
async function bareCalls(estate: Awaited<ReturnType<typeof startEstate>>, names: string[]): Promise<number[]> {
  const [hsm] = estate.hsms;
  if (!hsm) throw new Error('the estate has no HSM');
  const { token } = await estate.tokens.forIdentity(IDENTITIES.rotate, 'https://managedhsm.azure.net');
  const call = async (path: string, body?: object) => {
    const reply = await estate.call({
      method: 'POST',
      url: `${hsm.uri}/keys/${path}?api-version=2025-07-01`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body ? JSON.stringify(body) : '',
    });
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.body.toString('utf8')}`);
    return JSON.parse(reply.body.toString('utf8')) as { key: { kid: string }; value: string };
  };
  const digest = createHash('sha256').update('bench').digest('base64url');
  const times: number[] = [];
  for (const name of names) {
    const old = hsm
      .keys()
      .keys.find((key) => key.name === name)
      ?.versions.at(-1)?.version;
    const startedAt = performance.now();
    const before = await call(`${name}/${old}/sign`, { alg: 'ES256', value: digest });
    const { key } = await call(`${name}/rotate`);
    const version = key.kid.split('/').at(-1);
    const signed = await call(`${name}/${version}/sign`, { alg: 'ES256', value: digest });
    await call(`${name}/${version}/verify`, { alg: 'ES256', digest, value: signed.value });
    await call(`${name}/${old}/verify`, { alg: 'ES256', digest, value: before.value });
    times.push(performance.now() - startedAt);
  }
  return times;
}
