import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM, randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';

const MAGIC = Buffer.from('MHSMFB1\0', 'latin1');
const IV = 12;
const TAG = 16;

/** Bytes that sealing adds. */
export const SEAL_OVERHEAD = MAGIC.length + IV + TAG;

/** Encrypts what flows through with AES-256-GCM, bound to `label`. Layout: magic, iv, text, tag. */
export function sealing(key: Buffer, label: string): Transform {
  const iv = randomBytes(IV);
  const cipher: CipherGCM = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(label));
  let begun = false;
  const begin = (stream: Transform) => {
    if (!begun) stream.push(Buffer.concat([MAGIC, iv]));
    begun = true;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      begin(this);
      done(null, cipher.update(chunk));
    },
    flush(done) {
      begin(this);
      done(null, Buffer.concat([cipher.final(), cipher.getAuthTag()]));
    },
  });
}

/** Decrypts what flows through and fails at its end unless every byte is as it was sealed, under the same label. */
export function unsealing(key: Buffer, label: string): Transform {
  let decipher: DecipherGCM | undefined;
  // The tag comes last, so the last bytes seen so far are always held back.
  let held = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      held = Buffer.concat([held, chunk]);
      if (!decipher) {
        if (held.length < SEAL_OVERHEAD) return done();
        if (!held.subarray(0, MAGIC.length).equals(MAGIC)) return done(new Error('It is not part of a backup.'));
        const iv = held.subarray(MAGIC.length, MAGIC.length + IV);
        decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(label));
        held = held.subarray(MAGIC.length + IV);
      }
      const ready = held.length - TAG;
      if (ready > 0) {
        this.push(decipher.update(held.subarray(0, ready)));
        held = Buffer.from(held.subarray(ready));
      }
      done();
    },
    flush(done) {
      if (!decipher) return done(new Error('It is too short.'));
      try {
        const rest = decipher.setAuthTag(held).final();
        done(null, rest);
      } catch (error) {
        done(new Error(`It is not as it was written: ${(error as Error).message}`));
      }
    },
  });
}
