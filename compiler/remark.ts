/** Keys and list indexes from the top of the frontmatter. */
export type Path = readonly (string | number)[];

/** A problem that does not know yet at which line it stands; the checks make these, `locateRemark` places them. */
export interface Remark {
  path: Path;
  message: string;
  hint?: string;
  /** UTF-16 units into the text of the value; absent where the value as a whole is meant. */
  offset?: number;
  /** Whether the key is meant and not its value. */
  atKey?: boolean;
  /** A line and a column of the file, where something below the frontmatter is meant. */
  at?: { line: number; column: number };
  isWarning?: boolean;
}

/** Writes a path as a person would: `sweep.request.headers.Authorization`, `env[1]`. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`))
    .join('');
}
