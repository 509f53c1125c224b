import { definitionSchema } from '../compiler/schema.ts';

/** Programs that only start another one, or stand before what matters. */
const starters =
  /^(sudo|nice|ionice|timeout|flock|chronic|env|exec|time|setsid|nohup|sh|bash|dash|ash|zsh|python\d?(\.\d+)?|perl|ruby|node|php\d?(\.\d+)?|java|npx|cronitor|run-one|systemd-cat|stdbuf)$/;
const preludes = /^(cd|test|\[|\[\[|sleep|export|\.|source|set|umask|true|:|echo|command|which|pgrep|mkdir|if|then|!)$/;

/** The programs whose first word says what they do. */
const withVerb =
  /^(docker|podman|kubectl|git|npm|yarn|certbot|restic|borg|rclone|aws|gcloud|az|artisan|manage|wp|rake|occ|drush|make|systemctl|apt-get|apt|rsnapshot|bin\/console|console|s3cmd|mc|bundle|composer)$/;

/** Names that say something together with their folder alone. */
const generic = /^(run|main|start|index|cron|job|jobs|script|task|tasks|update|exec|backup|sync|manage|console)$/i;

const longestName = 60;

/** Words for what a command does: the end of a URL, or the script, or the program with its verb. */
export function nameCommand(command: string): string {
  const url = /\bhttps?:\/\/([^\s"'?#]+)/.exec(command);
  if (url && /\b(curl|wget)\b/.test(command)) return nameUrl(url[1] ?? '');
  const variable = /\b(?:curl|wget)\b.*?["'\s]\$\{?[A-Za-z_]\w*\}?(\/[^\s"'?#]*)/.exec(command);
  if (variable) return nameUrl(`x${variable[1] ?? ''}`);
  for (const part of command.replaceAll(/[()]/g, ' ').split(/&&|\|\||[;|\n]/)) {
    const name = namePart(part.trim().split(/\s+/));
    if (name !== undefined) return name;
  }
  return slug(command) ?? 'job';
}

function nameUrl(address: string): string {
  const [host = '', ...path] = address.replace(/^[^/@]*@/, '').split('/');
  const isTelling = (word: string) =>
    /[a-z]/i.test(word) && !/^(api|v\d+|index|cron)$/i.test(word) && !/^[0-9a-f-]{16,}$/i.test(word);
  const words = path
    .map((word) => word.replace(/\.\w{2,4}$/, ''))
    .filter((word) => isTelling(word) && word.length <= 30);
  return slug(words.slice(-2).join('-')) ?? slug(host) ?? 'call';
}

function namePart(words: string[]): string | undefined {
  for (let at = 0; at < words.length; at += 1) {
    const word = (words[at] ?? '').replaceAll(/^["'({]+|["')}]+$/g, '');
    const name = word.split('/').at(-1) ?? '';
    if (preludes.test(name)) return undefined;
    const isPassedOver =
      starters.test(name) ||
      name.startsWith('-') ||
      /^\w+=/.test(word) ||
      /^[\d.]+[smhd]?$/.test(word) ||
      /\.(lock|pid)$/.test(word);
    if (isPassedOver || name === '') continue;
    const script = name.replace(/\.(sh|py|pl|rb|php|js|mjs|ts|bash|jar)$/i, '');
    const folder = word.split('/').at(-2) ?? '';
    if (generic.test(script) && /^[a-z]/i.test(folder) && !/^s?bin$/.test(folder)) return slug(`${folder}-${script}`);
    const last = words.at(-1) ?? '';
    if (script === 'run-parts' && last.includes('/')) return slug(`run-parts-${last.split('/').at(-1) ?? ''}`);
    const verb = words.slice(at + 1).find((next) => !next.startsWith('-')) ?? '';
    return slug(withVerb.test(script) && /^[a-z][\w:-]{1,30}$/i.test(verb) ? `${script}-${verb}` : script);
  }
  return undefined;
}

/** Kebab-case, or undefined where nothing is left. */
export function slug(words: string): string | undefined {
  const plain = words
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, longestName)
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' ? undefined : plain;
}

/** Gives each name an id of its own, in the order of the list: `ops.backup`, `ops.backup-2`. */
export function makeIds(names: readonly { prefix: string; name: string }[]): string[] {
  const taken = new Set<string>();
  return names.map(({ prefix, name }) => {
    const words = slug(name) ?? 'job';
    const plain = prefix === '' ? words.replace(/^[^a-z]+/, '') || 'job' : `${prefix}.${words}`;
    let id = plain;
    for (let count = 2; taken.has(id); count += 1) id = `${plain}-${count}`;
    taken.add(id);
    return id;
  });
}

/** Whether a prefix can begin an id. */
export function isPrefix(prefix: string): boolean {
  return prefix === '' || definitionSchema.shape.id.safeParse(`${prefix}.x`).success;
}
