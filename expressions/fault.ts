/** What is wrong inside one text, before anyone knows which file the text stands in. `offset` counts UTF-16 units from 0. */
export interface Fault {
  offset: number;
  message: string;
  hint?: string;
}
