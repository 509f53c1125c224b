import type { SweepPlan } from '../workflows/contract.ts';
import type { ReadAnswer } from './answer.ts';
import type { Ending } from './ending.ts';
import type { HttpResponse } from './http-client.ts';

/** What an answer was taken for. */
export interface JudgedAnswer {
  ending: Ending;
  stored: ReadAnswer['stored'];
}

/** The answer that was judged last: the targets of a healthy fan-out say the same, and the rules need not be asked anew. */
export interface AnswerMemory {
  recall(response: HttpResponse): JudgedAnswer | undefined;
  keep(response: HttpResponse, judged: JudgedAnswer): void;
}

/** Longer answers are not kept for their likeness. */
const longestKept = 4_096;

/** Remembers nothing where more than the status and the body of an answer decides. */
export function openAnswerMemory({ request, outcome, poll }: SweepPlan): AnswerMemory {
  const expressions = [...Object.values(outcome), request.expect?.condition ?? ''];
  const isWhole = poll === undefined && !expressions.some((expression) => expression?.includes('headers'));
  let last: { status: number; text: string; judged: JudgedAnswer } | undefined;
  return {
    recall: ({ status, text }) => (last?.status === status && last.text === text ? last.judged : undefined),
    keep({ status, text }, judged) {
      // A redirect is judged by its Location.
      const isRedirect = status >= 300 && status < 400;
      if (isWhole && !isRedirect && text.length <= longestKept) last = { status, text, judged };
    },
  };
}
