import type { Problem } from './problem.ts';

/** Writes a problem as a workflow command of GitHub Actions, which shows it beside the line it is about. */
export function renderAnnotation({ file, line, column, severity, message, hint }: Problem): string {
  const place = `file=${escapeProperty(file)},line=${line},col=${column}`;
  return `::${severity} ${place}::${escapeData(hint === undefined ? message : `${message}\nhint: ${hint}`)}`;
}

/** What ends a command or a line of it; https://github.com/actions/toolkit, packages/core/src/command.ts. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
