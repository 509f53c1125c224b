import { ignored } from './http-parts.ts';
import type { OptionEffect, OptionTable } from './http-parts.ts';

const addBody: OptionEffect = (parts, word) => {
  parts.data.push({ text: word, isEncoded: false, isJson: false });
  parts.method ??= 'POST';
};

const setSeconds: OptionEffect = (parts, word) => {
  const seconds = Math.ceil(Number(word));
  if (Number.isFinite(seconds) && seconds > 0) parts.maxSeconds = seconds;
};

const setAttempts: OptionEffect = (parts, word) => {
  const tries = Number.parseInt(word, 10);
  if (tries > 1) parts.attempts = Math.min(10, tries);
};

const addHeader: OptionEffect = (parts, word) => void parts.headers.push(word);
const addAgent: OptionEffect = (parts, word) => void parts.headers.push(`User-Agent: ${word}`);
const setUser: OptionEffect = (parts, word) => void (parts.user = word);
const setPassword: OptionEffect = (parts, word) => void (parts.password = word);
const insecure = () => 'does not verify the certificate; a definition always does: name the authority in `tls: { ca }`';

/** What wget(1) and that of busybox understand, as far as a definition has a word for it. */
export const wgetOptions: OptionTable = {
  flags: {
    ...Object.fromEntries(
      [
        ...[
          '-q',
          '-S',
          '-c',
          '-4',
          '-6',
          '-nv',
          '-v',
          '-d',
          '--quiet',
          '--no-verbose',
          '--server-response',
          '--verbose',
        ],
        ...['--continue', '--inet4-only', '--inet6-only', '--no-cache', '--content-on-error', '--auth-no-challenge'],
        ...['--no-hsts', '--delete-after', '--retry-connrefused', '--no-proxy', '--show-progress'],
      ].map((name) => [name, ignored]),
    ),
    '--spider': ({ notes }) =>
      void notes.push('`--spider` asks with HEAD and then GET; this asks with GET and takes what comes.'),
    '--no-check-certificate': insecure,
    '-r': () => 'copies a whole site',
    '--recursive': () => 'copies a whole site',
  },
  withWord: {
    ...Object.fromEntries(
      [
        ...[
          '-O',
          '-o',
          '-a',
          '-P',
          '-Y',
          '-n',
          '--output-document',
          '--output-file',
          '--append-output',
          '-w',
          '--wait',
        ],
        ...['--waitretry', '--directory-prefix', '--progress', '--proxy', '--max-redirect', '--limit-rate'],
      ].map((name) => [name, ignored]),
    ),
    ...{ '--header': addHeader, '-U': addAgent, '--user-agent': addAgent },
    ...{ '--post-data': addBody, '--body-data': addBody, '--method': (parts, word) => void (parts.method = word) },
    ...{ '--post-file': () => 'sends a file', '--body-file': () => 'sends a file' },
    ...{ '-T': setSeconds, '--timeout': setSeconds, '-t': setAttempts, '--tries': setAttempts },
    ...{ '--user': setUser, '--http-user': setUser, '--password': setPassword, '--http-password': setPassword },
    '--ca-certificate': ({ tls }, word) => void (tls.ca = word),
    '--certificate': ({ tls }, word) => void (tls.cert = word),
    '--private-key': ({ tls }, word) => void (tls.key = word),
  },
};
