/** What a terminal obeys instead of showing: control characters, and the marks that turn the direction of writing. */
// oxlint-disable-next-line no-control-regex
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A colour as this program prints it, or something that a terminal obeys. */
// oxlint-disable-next-line no-control-regex
const colourOrObeyed = /\u001b\[[0-9;]{0,8}m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text of several lines from outside (a runbook, an answer), for being shown and not obeyed. */
export function showText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(obeyed, '\uFFFD');
}

/** Text from outside (a message, a note, a title) as one line. */
export function showLine(text: string): string {
  return showText(text.replaceAll(/\s+/g, ' ')).trim();
}

/** The last gate before a terminal: lets through text, line ends and colours. What comes from outside is shown by `showLine` before. */
export function guardTerminal(text: string): string {
  return text.replaceAll(colourOrObeyed, (found) => (found.length > 1 ? found : '\uFFFD'));
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
// oxlint-disable-next-line no-control-regex
const colours = /\u001b\[[0-9;]*m/g;

/** How many columns of a terminal a line takes: none for colours and marks, two for East Asian characters and emoji. */
export function measureWidth(line: string): number {
  const text = line.replaceAll(colours, '');
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    if (!zeroWidth.test(segment)) width += wide.test(segment) || segment.includes('\uFE0F') ? 2 : 1;
  }
  return width;
}

/** The start of a plain line that fits into `columns`. */
export function fitWidth(line: string, columns: number): string {
  let taken = '';
  let width = 0;
  for (const { segment } of segmenter.segment(line)) {
    width += measureWidth(segment);
    if (width > columns) break;
    taken += segment;
  }
  return taken;
}
