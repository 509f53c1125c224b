/** Every sentence about a remedy that is a request. */
export const httpRemedyReasons = {
  endUnknown: 'the run ended before the answer was in: whether the request took effect is unknown',
  requested: (line: string) => `the finding is there, so ${line}`,
  answered: (status: number | undefined) => `the target answered ${status}`,
  noAnswer: (limit: string) =>
    `the target had not answered within ${limit}; whether the request took effect is unknown`,
  notAudited: (end: string, message: string) => `${end}; its audit could not be written: ${message}`,
} as const;
