import { LineCounter, isMap, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import type { Problem } from '../compiler/problem.ts';

/** An object of a manifest, and where its keys stand. */
export interface ManifestObject {
  value: Record<string, unknown>;
  /** The place of a value, or of the nearest key around it; counts from 1. */
  locate: (...path: (string | number)[]) => { line: number; column: number };
}

/** Aliases expand to at most this many nodes. */
const mostAliases = 100;

/** Reads the objects of a YAML or JSON file: several documents, and the items of a List. */
export function readManifest(file: string, text: string): { objects: ManifestObject[]; problems: Problem[] } {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const refuse = (offset: number, message: string): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ file, line: Math.max(1, line), column: Math.max(1, col), path: '', severity: 'error', message });
  };
  if (text.includes('\0')) {
    problems.push({
      file,
      line: 1,
      column: 1,
      path: '',
      severity: 'error',
      message: 'the file holds a NUL byte; expected YAML',
    });
    return { objects: [], problems };
  }
  const options = { lineCounter: lines, prettyErrors: false, logLevel: 'silent', uniqueKeys: true } as const;
  const documents = [...parseAllDocuments(text, options)] as Document.Parsed[];
  const objects: ManifestObject[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error) {
      refuse(error.pos[0], `this is not YAML: ${(error.message.split('\n')[0] ?? '').replace(/ at line.*$/, '')}`);
      continue;
    }
    if (document.contents === null) continue;
    if (!isMap(document.contents))
      refuse(document.contents.range[0], 'this is no object of Kubernetes; expected a mapping with `kind`');
    else objects.push(...openObject(document, lines, refuse));
  }
  return { objects, problems };
}

function openObject(
  document: Document.Parsed,
  lines: LineCounter,
  refuse: (offset: number, message: string) => void,
): ManifestObject[] {
  const locate = (path: (string | number)[]): { line: number; column: number } => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      const range =
        typeof node === 'object' && node !== null && 'range' in node ? (node.range as [number] | null) : null;
      if (range) return { line: lines.linePos(range[0]).line, column: lines.linePos(range[0]).col };
    }
    return { line: 1, column: 1 };
  };
  try {
    const value = document.toJS({ maxAliasCount: mostAliases }) as Record<string, unknown>;
    const { kind, items } = value;
    if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) {
      return [{ value, locate: (...path) => locate(path) }];
    }
    const itemKind = kind.slice(0, -'List'.length);
    return items.flatMap((item: unknown, index): ManifestObject[] => {
      if (typeof item !== 'object' || item === null) return [];
      // A typed list leaves the kind of its items out.
      const named = { ...(itemKind === '' ? {} : { kind: itemKind }), ...item } as Record<string, unknown>;
      return [{ value: named, locate: (...path) => locate(['items', index, ...path]) }];
    });
  } catch (error) {
    refuse(
      document.contents?.range[0] ?? 0,
      `this YAML cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
    return [];
  }
}
