import { createHmac, hkdfSync, randomUUID, timingSafeEqual } from 'node:crypto';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import type { SecurityDomain } from '../backup-blob.ts';
import type { SavedKeys } from '../persistence.ts';
import type { HsmContents } from '../server.ts';
import type { BackupContainer } from './container.ts';
import { invalidRequest, type JobFailure } from './job.ts';
import { SEAL_OVERHEAD, sealing, unsealing } from './sealed-stream.ts';

/**
 * What is in the folder of a full backup is not public, so the layout is ours: an index that names every blob with its
 * size, and blobs sealed under the security domain. The index is written last: a folder without one is no backup.
 */
const INDEX = 'backup.json';
const FORMAT = 'mhsm-full-backup/1';
const ZEROS = Buffer.alloc(256 * 1024);

const indexSchema = z.strictObject({
  format: z.literal(FORMAT),
  backupId: z.string(),
  hsm: z.string(),
  securityDomain: z.string(),
  createdOn: z.string(),
  blobs: z.array(z.strictObject({ name: z.string(), size: z.int().min(0) })),
  mac: z.string(),
});
type Index = z.infer<typeof indexSchema>;

interface Blob {
  name: string;
  bytes: number;
  content(): Readable;
}

export interface ArchiveOptions {
  hsm: string;
  folder: string;
  domain: SecurityDomain;
  createdOn: Date;
  keysPerBlob: number;
  partitionBlobs: number;
  partitionBytes: number;
  /** `incomplete` stops before the index, as a backup that fails; `damaged` leaves one blob that cannot be opened. */
  flaw?: 'incomplete' | 'damaged';
}

/** Writes a full backup, blob by blob. */
export async function writeArchive(
  container: BackupContainer,
  contents: HsmContents,
  options: ArchiveOptions,
): Promise<void> {
  const backupId = randomUUID();
  const key = sealingKey(options.domain, backupId);
  const blobs = plan(contents, options);
  for (const { name, content } of blobs) {
    const damaged = options.flaw === 'damaged' && name === 'access.bin';
    const label = damaged ? 'damaged' : labelOf(backupId, name);
    const sealed = new PassThrough();
    await Promise.all([
      pipeline(content(), sealing(key, label), sealed),
      container.write(`${options.folder}/${name}`, sealed).catch((error: Error) => {
        sealed.destroy(error);
        throw error;
      }),
    ]);
    if (options.flaw === 'incomplete') return;
  }
  const index: Omit<Index, 'mac'> = {
    format: FORMAT,
    backupId,
    hsm: options.hsm,
    securityDomain: options.domain.id,
    createdOn: options.createdOn.toISOString(),
    blobs: blobs.map(({ name, bytes }) => ({ name, size: bytes + SEAL_OVERHEAD })),
  };
  const text = JSON.stringify({ ...index, mac: macOf(key, index) }, null, 2);
  await container.write(`${options.folder}/${INDEX}`, Readable.from([Buffer.from(text)], { objectMode: false }));
}

/**
 * Reads a whole full backup and opens every blob of it. Rejects with JobFailure when a blob is missing, has another size
 * or was altered, or when the backup is of another security domain. The texts are ours: not found.
 */
export async function readArchive(
  container: BackupContainer,
  folder: string,
  domain: SecurityDomain,
): Promise<HsmContents> {
  const index = await readIndex(container, folder);
  if (index.securityDomain !== domain.id) {
    throw invalidRequest('The backup was made under another security domain and cannot be restored to this HSM.');
  }
  const key = sealingKey(domain, index.backupId);
  const { mac, ...signed } = index;
  const expected = Buffer.from(macOf(key, signed));
  if (mac.length !== expected.length || !timingSafeEqual(Buffer.from(mac), expected)) {
    throw damaged(folder, INDEX, 'It is not as it was written.');
  }
  const keys: SavedKeys = { keys: [], deletedKeys: [], materials: {} };
  const contents: HsmContents = { keys, roleDefinitions: [], roleAssignments: [] };
  for (const { name, size } of index.blobs) {
    const blob = await container.read(`${folder}/${name}`);
    if (blob.size !== size) {
      blob.content.destroy();
      throw damaged(folder, name, `It has ${blob.size} bytes instead of ${size}.`);
    }
    const opened = collector(!name.startsWith('partition-'));
    await pipeline(blob.content, unsealing(key, labelOf(index.backupId, name)), opened.sink).catch((error: Error) => {
      throw damaged(folder, name, error.message);
    });
    if (name.startsWith('keys-')) merge(keys, opened.json() as SavedKeys);
    if (name === 'access.bin') Object.assign(contents, opened.json());
  }
  return contents;
}

async function readIndex(container: BackupContainer, folder: string): Promise<Index> {
  const { content } = await container.read(`${folder}/${INDEX}`);
  const { sink, text } = collector(true);
  await pipeline(content, sink);
  try {
    return indexSchema.parse(JSON.parse(text()));
  } catch {
    throw damaged(folder, INDEX, 'It is not the index of a backup.');
  }
}

function plan(contents: HsmContents, options: ArchiveOptions): Blob[] {
  const { keys, roleDefinitions, roleAssignments } = contents;
  return [
    sealedJson('access.bin', { roleDefinitions, roleAssignments }),
    ...portions(keys, options.keysPerBlob).map((portion, index) => sealedJson(numbered('keys', index), portion)),
    ...Array.from({ length: options.partitionBlobs }, (_, index) => ({
      name: numbered('partition', index),
      bytes: options.partitionBytes,
      content: () => Readable.from(zeros(options.partitionBytes), { objectMode: false, highWaterMark: ZEROS.length }),
    })),
  ];
}

function sealedJson(name: string, value: unknown): Blob {
  const text = Buffer.from(JSON.stringify(value));
  return { name, bytes: text.length, content: () => Readable.from([text], { objectMode: false }) };
}

const numbered = (name: string, index: number) => `${name}-${String(index + 1).padStart(4, '0')}.bin`;

function* zeros(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

/** Soft-deleted keys stay out: a backup holds what is active. Source: managed-hsm/backup-restore. */
function portions({ keys, materials }: SavedKeys, size: number): SavedKeys[] {
  return Array.from({ length: Math.ceil(keys.length / size) }, (_, index) => {
    const some = keys.slice(index * size, (index + 1) * size);
    const used = new Set(some.flatMap(({ versions }) => versions.map(({ material }) => material)));
    return {
      keys: some,
      deletedKeys: [],
      materials: Object.fromEntries(Object.entries(materials).filter(([id]) => used.has(id))),
    };
  });
}

function merge(into: SavedKeys, portion: SavedKeys): void {
  into.keys.push(...portion.keys);
  Object.assign(into.materials, portion.materials);
}

/** Takes a stream in whole, or lets it pass by. */
function collector(keep: boolean): { sink: Writable; text(): string; json(): unknown } {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (keep) chunks.push(chunk);
      done();
    },
  });
  const text = () => Buffer.concat(chunks).toString('utf8');
  return { sink, text, json: () => JSON.parse(text()) };
}

const labelOf = (backupId: string, name: string) => `${backupId}/${name}`;

const sealingKey = (domain: SecurityDomain, backupId: string): Buffer =>
  Buffer.from(hkdfSync('sha256', Buffer.from(domain.key, 'base64url'), backupId, 'full backup', 32));

const macOf = (key: Buffer, index: Omit<Index, 'mac'>): string =>
  createHmac('sha256', key).update(JSON.stringify(index)).digest('base64url');

const damaged = (folder: string, name: string, why: string): JobFailure =>
  invalidRequest(`The blob ${folder}/${name} of the backup is damaged. ${why}`);
