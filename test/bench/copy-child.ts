import { Readable } from 'node:stream';
import { ManagedIdentityCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { createBackupVault, VAULT_CONTAINER } from '../../shared/adapters/azure/backup-vault.ts';
import { createIdentities } from '../../shared/adapters/azure/credentials.ts';
import { createSystemClock } from '../../shared/adapters/system-clock.ts';

/** One measurement of copy.ts in a process of its own, so that its memory is its own. */
const [mode = '', landingContainerUrl = '', vaultBlobUrl = '', clientId = '', megabytes = '0'] = process.argv.slice(2);
const FOLDER = 'mhsm-bench-20300101000000';
const BLOB = 'bench.bin';
const BLOCK = 4 * 1024 * 1024;
const LANES = 4;

const credential = new ManagedIdentityCredential({ clientId });
const landingUrl = new URL(landingContainerUrl);
const container = landingUrl.pathname.split('/').at(-1) ?? '';
const landing = new BlobServiceClient(
  landingContainerUrl.slice(0, -container.length - 1),
  credential,
).getContainerClient(container);
const source = landing.getBlockBlobClient(`${FOLDER}/${BLOB}`);

const modes: Record<string, () => Promise<void>> = {
  idle: async () => {
    await source.exists();
  },
  async prepare() {
    const chunk = Buffer.alloc(1024 * 1024);
    for (let index = 0; index < chunk.length; index++) chunk[index] = index * 31;
    function* bytes() {
      for (let sent = 0; sent < Number(megabytes); sent++) yield Buffer.from(chunk);
    }
    await source.uploadStream(Readable.from(bytes(), { objectMode: false }), BLOCK, LANES);
  },
  async bare() {
    const target = new BlobServiceClient(vaultBlobUrl, credential).getContainerClient(VAULT_CONTAINER);
    const { readableStreamBody } = await source.download();
    if (!readableStreamBody) throw new Error('nothing to copy');
    await target
      .getBlockBlobClient(`${FOLDER}-bare/${BLOB}`)
      .uploadStream(readableStreamBody as Readable, BLOCK, LANES);
  },
  async ours() {
    const identity = createIdentities({ observe: clientId, rotate: clientId }).observe;
    const vault = createBackupVault({
      landingContainerUrl,
      vaultBlobUrl,
      identity,
      clock: createSystemClock(),
      serverSideCopy: false,
    });
    for (const blob of await vault.listLanding(FOLDER)) {
      const copied = await vault.copy(FOLDER, blob);
      if (copied.kind !== 'copied') throw new Error(`not copied: ${copied.kind}`);
    }
  },
};

const run = modes[mode];
if (!run) throw new Error(`no such measurement: ${mode}`);
const startedAt = performance.now();
await run();
console.log(
  JSON.stringify({ ms: performance.now() - startedAt, peakMegabytes: process.resourceUsage().maxRSS / 1024 }),
);
process.exit(0);
