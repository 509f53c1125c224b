import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Refusal } from './refusal.ts';

/** Certificates in one file, and the first of them. */
export interface PemCertificates {
  pem: Buffer;
  first: X509Certificate;
}

const certificate = /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END \1?CERTIFICATE-----/g;

/** Reads the certificates in the file that a setting names. Refuses what is no certificate, or is not valid at `now`. */
export function readCertificates(setting: string, file: string, now: Date): PemCertificates {
  const pem = readSettingFile(setting, file);
  const certificates = (pem.toString('latin1').match(certificate) ?? []).map((text) => parse(setting, file, text));
  const [first] = certificates;
  if (first === undefined) throw new Refusal(`The file ${file} (${setting}) holds no certificate in PEM`);
  // Of authorities that follow one another the old one may well be over.
  const valid = certificates.find((each) => Date.parse(each.validTo) >= now.getTime());
  if (valid === undefined) {
    throw new Refusal(`The certificate in ${file} (${setting}) expired on ${showDay(first.validTo)}`, 'Renew it.');
  }
  if (Date.parse(valid.validFrom) > now.getTime()) {
    const advice = 'Wait, or check the clock of this machine.';
    throw new Refusal(
      `The certificate in ${file} (${setting}) is not valid before ${showDay(valid.validFrom)}`,
      advice,
    );
  }
  return { pem, first };
}

/** Reads the private key in the file that a setting names. */
export function readPrivateKey(setting: string, file: string): { pem: Buffer; key: KeyObject } {
  const pem = readSettingFile(setting, file);
  try {
    return { pem, key: createPrivateKey(pem) };
  } catch {
    throw new Refusal(`The file ${file} (${setting}) holds no private key in PEM, or one with a passphrase`);
  }
}

/** Reads a file that a setting names; refuses with the setting where it cannot be read. */
export function readSettingFile(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const says = reasons[code] ?? `cannot be read: ${code}`;
    throw new Refusal(`The file ${file} (${setting}) ${says}`, `Set ${setting} to a file that this user can read.`);
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'is not there',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
};

function parse(setting: string, file: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new Refusal(`The file ${file} (${setting}) holds a certificate that cannot be read`);
  }
}

function showDay(text: string): string {
  return new Date(text).toISOString().slice(0, 10);
}
