/** What the process answers with; other programs rely on it. */
export const exitCodes = { done: 0, failed: 1, usage: 2, environment: 3, interrupted: 130 } as const;
