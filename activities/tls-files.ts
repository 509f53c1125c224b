import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type SecureContext, createSecureContext } from 'node:tls';
import { ExchangeError } from './exchange-fault.ts';

/** Names of PEM files on the worker. */
export interface TlsFiles {
  ca?: string;
  cert?: string;
  key?: string;
}

/**
 * Reads and checks the certificates of a request; undefined where it has none. A `ca` replaces the authorities that the
 * worker trusts by itself.
 *
 * @throws ExchangeError that names the file at fault
 */
export async function readTlsFiles({ ca, cert, key }: TlsFiles): Promise<SecureContext | undefined> {
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  const authorities = ca === undefined ? undefined : await readCertificates('tls.ca', ca);
  const chain = cert === undefined ? undefined : await readCertificates('tls.cert', cert);
  const secret = key === undefined ? undefined : await readKey(key);
  if ((chain === undefined) !== (secret === undefined)) {
    throw new ExchangeError('a client certificate needs both tls.cert and tls.key');
  }
  if (chain !== undefined && secret !== undefined && chain.first.checkPrivateKey(secret.key) === false) {
    throw new ExchangeError(`the key in ${key} (tls.key) is not that of the certificate in ${cert} (tls.cert)`);
  }
  return createSecureContext({
    ...(authorities === undefined ? {} : { ca: authorities.pem }),
    ...(chain === undefined ? {} : { cert: chain.pem }),
    ...(secret === undefined ? {} : { key: secret.pem }),
  });
}

const certificate = /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END \1?CERTIFICATE-----/g;

async function readCertificates(field: string, file: string): Promise<{ pem: string; first: X509Certificate }> {
  const pem = await readPem(field, file);
  try {
    const [first] = (pem.match(certificate) ?? []).map((text) => new X509Certificate(text));
    if (first !== undefined) return { pem, first };
  } catch (error) {
    throw new ExchangeError(`the file ${file} (${field}) holds a certificate that cannot be read`, { cause: error });
  }
  throw new ExchangeError(`the file ${file} (${field}) holds no certificate in PEM`);
}

async function readKey(file: string) {
  const pem = await readPem('tls.key', file);
  try {
    return { pem, key: createPrivateKey(pem) };
  } catch (error) {
    throw new ExchangeError(`the file ${file} (tls.key) holds no private key in PEM, or one with a passphrase`, {
      cause: error,
    });
  }
}

async function readPem(field: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ExchangeError(`the file ${file} (${field}) cannot be read on this worker: ${code}`, { cause: error });
  }
}
