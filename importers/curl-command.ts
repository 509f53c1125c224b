import { ignored } from './http-parts.ts';
import type { HttpParts, OptionEffect, OptionTable } from './http-parts.ts';

const setText =
  (key: 'method' | 'user' | 'bearer'): OptionEffect =>
  (parts, word) => {
    parts[key] = word;
  };

const addData =
  (kind: { isEncoded?: boolean; isJson?: boolean; isRaw?: boolean } = {}): OptionEffect =>
  (parts, word) => {
    if (kind.isRaw !== true && word.startsWith('@')) return 'sends a file';
    if (kind.isEncoded === true && /^[^=]*@/.test(word)) return 'sends a file';
    parts.data.push({ text: word, isEncoded: kind.isEncoded === true, isJson: kind.isJson === true });
    return undefined;
  };

const addHeader =
  (prefix = ''): OptionEffect =>
  (parts, word) => {
    if (prefix === '' && word.startsWith('@')) return 'reads headers from a file';
    parts.headers.push(prefix + word);
    return undefined;
  };

const setFile =
  (key: 'ca' | 'cert' | 'key'): OptionEffect =>
  ({ tls }, word) => {
    tls[key] = word;
  };

const setSeconds: OptionEffect = (parts, word) => {
  const seconds = Math.ceil(Number(word));
  if (Number.isFinite(seconds) && seconds > 0) parts.maxSeconds = seconds;
};

const setAttempts: OptionEffect = (parts, word) => {
  const retries = Number.parseInt(word, 10);
  if (retries > 0) parts.attempts = Math.min(10, retries + 1);
};

const followRedirects = ({ notes }: HttpParts): void => {
  notes.push('`-L` is left out: redirects are not followed, so give the address that they lead to.');
};

const flags: OptionTable['flags'] = {
  ...Object.fromEntries(
    [
      ...['-s', '-S', '-f', '-v', '-i', '-N', '-#', '-4', '-6', '-g', '-0', '-1', '-2', '-O', '-J'],
      ...[
        '--silent',
        '--show-error',
        '--fail',
        '--fail-with-body',
        '--fail-early',
        '--verbose',
        '--include',
        '--no-buffer',
      ],
      ...['--progress-bar', '--no-progress-meter', '--ipv4', '--ipv6', '--globoff', '--compressed', '--remote-name'],
      ...['--http1.0', '--http1.1', '--http2', '--tlsv1', '--tlsv1.2', '--tlsv1.3', '--tcp-nodelay', '--no-keepalive'],
      ...['--retry-connrefused', '--retry-all-errors', '--path-as-is', '--basic', '--anyauth', '--create-dirs'],
    ].map((name) => [name, ignored]),
  ),
  '-L': followRedirects,
  '--location': followRedirects,
  '-G': (parts) => void (parts.isQuery = true),
  '--get': (parts) => void (parts.isQuery = true),
  '-I': () => 'asks for headers alone (`-I`), and a definition has no HEAD',
  '--head': () => 'asks for headers alone (`--head`), and a definition has no HEAD',
  '-k': () => 'does not verify the certificate (`-k`); a definition always does: name the authority in `tls: { ca }`',
  '--insecure': () => 'does not verify the certificate; a definition always does: name the authority in `tls: { ca }`',
};

const withWord: OptionTable['withWord'] = {
  ...Object.fromEntries(
    [
      ...[
        '-o',
        '-w',
        '-D',
        '-c',
        '-m0',
        '--output',
        '--write-out',
        '--dump-header',
        '--cookie-jar',
        '--connect-timeout',
      ],
      ...['--retry-delay', '--retry-max-time', '--keepalive-time', '--stderr', '--max-redirs', '--limit-rate'],
      ...['-y', '-Y', '--speed-time', '--speed-limit', '--trace', '--trace-ascii', '--output-dir'],
    ].map((name) => [name, ignored]),
  ),
  ...{ '-X': setText('method'), '--request': setText('method') },
  ...{ '-u': setText('user'), '--user': setText('user'), '--oauth2-bearer': setText('bearer') },
  ...{ '-H': addHeader(), '--header': addHeader() },
  ...{ '-A': addHeader('User-Agent: '), '--user-agent': addHeader('User-Agent: ') },
  ...{ '-e': addHeader('Referer: '), '--referer': addHeader('Referer: ') },
  ...{ '-b': addHeader('Cookie: '), '--cookie': addHeader('Cookie: ') },
  ...{ '-d': addData(), '--data': addData(), '--data-ascii': addData(), '--data-binary': addData() },
  ...{ '--data-raw': addData({ isRaw: true }), '--data-urlencode': addData({ isEncoded: true }) },
  '--json': addData({ isJson: true }),
  ...{ '-m': setSeconds, '--max-time': setSeconds, '--retry': setAttempts },
  ...{ '--cacert': setFile('ca'), '-E': setFile('cert'), '--cert': setFile('cert'), '--key': setFile('key') },
  '--url': (parts, word) => void parts.urls.push(word),
};

/** What curl(1) understands, as far as a definition has a word for it. */
export const curlOptions: OptionTable = { flags, withWord };
