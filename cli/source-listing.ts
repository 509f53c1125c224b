import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, join, normalize, relative, resolve, sep } from 'node:path';
import type { Problem } from '../compiler/problem.ts';
import { deadLink, describeFailure, faultOf } from './source-fault.ts';

/** A file to read; `target` is where its text stands, which is elsewhere for a link. */
export interface ListedFile {
  file: string;
  target: string;
}

/** What was found so far. */
interface Walk {
  /** Real paths that a link may lead into. */
  roots: string[];
  /** What the roots are to the reader of a message. */
  name: string;
  entered: Set<string>;
  files: ListedFile[];
  problems: Problem[];
}

/** Lists the definition files of one path: itself, or those below it, and what could not be followed. */
export function listSources(path: string): Pick<Walk, 'files' | 'problems'> {
  const walk: Walk = { roots: [], name: path, entered: new Set(), files: [], problems: [] };
  try {
    const file = normalize(path);
    const real = realpathSync.native(file);
    if (statSync(real).isDirectory()) {
      walk.roots = [real];
      walkFolder(file, walk);
      if (walk.files.length + walk.problems.length > 0) return walk;
      walk.problems.push(
        faultOf(path, 'there is no definition (*.md) in this folder', 'actcore new sweep NAME writes one'),
      );
    } else if (isLink(file)) {
      walk.roots = rootsOf(file);
      walk.name = dirname(file);
      takeFile(file, real, walk);
    } else {
      walk.files.push({ file, target: file });
    }
  } catch (error) {
    walk.problems.push(describeAbsence(path, error));
  }
  return walk;
}

function describeAbsence(path: string, error: unknown): Problem {
  const missing = 'there is no such file or folder';
  const message = describeFailure(error, isLink(path) ? deadLink : missing);
  return faultOf(path, message, message === missing ? 'name the folder of the definitions, or files of it' : undefined);
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** A link that is named by itself may lead about in its own folder, and in the working directory where it stands in that. */
function rootsOf(file: string): string[] {
  const [own, working] = [realpathSync.native(dirname(file)), realpathSync.native('.')];
  return isWithin(resolve(file), [process.cwd()]) ? [own, working] : [own];
}

/**
 * The `.md` files below a folder, README.md aside. Names that begin with a dot are passed over, as a mounted ConfigMap
 * holds its files twice, once behind `..data`. Each folder is entered once, also where links lead round in a circle.
 */
function walkFolder(folder: string, walk: Walk): void {
  const real = realpathSync.native(folder);
  if (walk.entered.has(real)) return;
  walk.entered.add(real);
  const entries = readdirSync(folder, { withFileTypes: true }).filter(
    ({ name }) => !name.startsWith('.') && name !== 'README.md',
  );
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) attempt(path, walk, followLink);
    else if (entry.name.endsWith('.md')) walk.files.push({ file: path, target: path });
    else if (entry.isDirectory()) attempt(path, walk, walkFolder);
  }
}

/** What one entry fails by does not hide the others. A dead link is only told where a definition or a folder is missing by it. */
function attempt(path: string, walk: Walk, follow: (path: string, walk: Walk) => void): void {
  try {
    follow(path, walk);
  } catch (error) {
    if (!['.md', ''].includes(extname(path))) return;
    walk.problems.push(faultOf(path, describeFailure(error, deadLink)));
  }
}

function followLink(path: string, walk: Walk): void {
  const real = realpathSync.native(path);
  if (path.endsWith('.md')) return takeFile(path, real, walk);
  if (!statSync(real).isDirectory()) return;
  if (isWithin(real, walk.roots)) walkFolder(path, walk);
  else walk.problems.push(describeEscape(path, real, walk));
}

function takeFile(file: string, target: string, walk: Walk): void {
  if (isWithin(target, walk.roots)) walk.files.push({ file, target });
  else walk.problems.push(describeEscape(file, target, walk));
}

function describeEscape(file: string, target: string, { name }: Walk): Problem {
  const message = `is not followed: it is a link that leads out of ${name}, to ${target}`;
  return faultOf(file, message, 'put the file itself there, or name what the link leads to');
}

function isWithin(path: string, roots: string[]): boolean {
  return roots.some((root) => {
    const way = relative(root, path);
    return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  });
}
