/** Tells what hasn't changed for a while; call the function that is returned with everything there is, again and again. */
export function settling(settleMs: number) {
  let known = new Map<string, { readonly mark: string; readonly since: number; readonly said: boolean }>();
  return (all: Iterable<readonly [key: string, mark: string]>) => {
    const now = performance.now();
    const next: typeof known = new Map();
    const complete = new Set<string>();
    /** Of those, the ones that weren't complete the last time. */
    const fresh = new Set<string>();
    for (const [key, mark] of all) {
      const before = known.get(key);
      const same = before?.mark === mark ? before : { mark, since: now, said: false };
      const isComplete = now - same.since >= settleMs;
      if (isComplete) complete.add(key);
      if (isComplete && !same.said) fresh.add(key);
      next.set(key, { ...same, said: isComplete });
    }
    known = next;
    return { complete, fresh };
  };
}
