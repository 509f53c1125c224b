/** The text if it fits into `limitBytes` of UTF-8, else as much of its start as does, whole characters only, and `ending`. */
export function fitBytes(text: string, limitBytes: number, ending: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limitBytes) return text;
  let end = limitBytes - Buffer.byteLength(ending);
  // A byte of the form 10xxxxxx continues a character that began before it.
  while (end > 0 && ((bytes[end] ?? 0) & 0b1100_0000) === 0b1000_0000) end -= 1;
  return bytes.subarray(0, end).toString('utf8') + ending;
}
