import type { TLSConfig } from '@temporalio/client';
import { readCertificates, readPrivateKey, readSettingFile } from './pem-files.ts';
import { Refusal } from './refusal.ts';

const names = [
  'TEMPORAL_TLS',
  'TEMPORAL_TLS_CA_FILE',
  'TEMPORAL_TLS_CERT_FILE',
  'TEMPORAL_TLS_KEY_FILE',
  'TEMPORAL_TLS_SERVER_NAME',
  'TEMPORAL_API_KEY',
  'TEMPORAL_API_KEY_FILE',
] as const;

/** The variables that say how Temporal is spoken to, beside its address; those that are set. */
export type AccessVariables = Partial<Record<(typeof names)[number], string>>;

/** What the variables come to. Without `tls` the connection is plain. */
export interface TemporalAccess {
  tls?: TLSConfig;
  apiKey?: string;
}

/**
 * Picks the variables out of an environment. They belong to the server that `TEMPORAL_ADDRESS` names: the one that runs
 * here is spoken to without.
 */
export function pickAccessVariables(env: NodeJS.ProcessEnv): AccessVariables {
  if (!env['TEMPORAL_ADDRESS']) return {};
  const set = names.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return Object.fromEntries(set);
}

/** Reads what the variables name. Files are read anew at every call, so that what was renewed is used. */
export function readTemporalAccess(variables: AccessVariables, now: Date = new Date()): TemporalAccess {
  const apiKey = readApiKey(variables);
  const { TEMPORAL_TLS: asked, ...others } = variables;
  const [implying] = Object.keys(others);
  const isOn = readSwitch(asked) ?? implying !== undefined;
  if (!isOn && implying !== undefined) {
    const advice = `Unset one of them. What ${implying} says has no use, or is readable by all, without TLS.`;
    throw new Refusal(`TEMPORAL_TLS is ${asked}, and ${implying} is set`, advice);
  }
  return {
    ...(isOn ? { tls: readTls(variables, now) } : {}),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

const switches: Record<string, boolean> = { true: true, 1: true, yes: true, false: false, 0: false, no: false };

function readSwitch(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  const isOn = switches[text.toLowerCase()];
  if (isOn === undefined) throw new Refusal(`TEMPORAL_TLS is neither true nor false: ${text}`);
  return isOn;
}

function readTls(variables: AccessVariables, now: Date): TLSConfig {
  const ca = variables.TEMPORAL_TLS_CA_FILE;
  const serverName = variables.TEMPORAL_TLS_SERVER_NAME;
  const pair = readPair(variables, now);
  return {
    ...(ca === undefined ? {} : { serverRootCACertificate: readCertificates('TEMPORAL_TLS_CA_FILE', ca, now).pem }),
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(pair === undefined ? {} : { clientCertPair: pair }),
  };
}

function readPair(variables: AccessVariables, now: Date): { crt: Buffer; key: Buffer } | undefined {
  const { TEMPORAL_TLS_CERT_FILE: certFile, TEMPORAL_TLS_KEY_FILE: keyFile } = variables;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const [there, absent] = certFile === undefined ? ['KEY', 'CERT'] : ['CERT', 'KEY'];
    const advice = 'A client certificate needs both.';
    throw new Refusal(`TEMPORAL_TLS_${there}_FILE is set, and TEMPORAL_TLS_${absent}_FILE is not`, advice);
  }
  const { pem: crt, first } = readCertificates('TEMPORAL_TLS_CERT_FILE', certFile, now);
  const { pem: key, key: secret } = readPrivateKey('TEMPORAL_TLS_KEY_FILE', keyFile);
  if (!first.checkPrivateKey(secret)) {
    throw new Refusal(
      `The key in ${keyFile} (TEMPORAL_TLS_KEY_FILE) is not that of the certificate in ${certFile} (TEMPORAL_TLS_CERT_FILE)`,
    );
  }
  return { crt, key };
}

function readApiKey({ TEMPORAL_API_KEY: given, TEMPORAL_API_KEY_FILE: file }: AccessVariables): string | undefined {
  if (given !== undefined && file !== undefined) {
    throw new Refusal('TEMPORAL_API_KEY and TEMPORAL_API_KEY_FILE are both set', 'Unset one of them.');
  }
  const [setting, text] =
    file === undefined
      ? (['TEMPORAL_API_KEY', given] as const)
      : (['TEMPORAL_API_KEY_FILE', readSettingFile('TEMPORAL_API_KEY_FILE', file).toString('utf8')] as const);
  if (text === undefined) return undefined;
  const key = text.trim();
  // What no header can carry; the text itself is not shown, being a secret.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new Refusal(`${setting} holds no API key`, 'It is one line of letters, digits and signs.');
  }
  return key;
}
