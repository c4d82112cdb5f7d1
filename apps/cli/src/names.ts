/** Letters and digits of any script, joined by hyphens: part of a file name on every system. */
export function slugOf(text: string): string {
  const words =
    text
      .toLowerCase()
      .normalize("NFC")
      .match(/[\p{L}\p{M}\p{N}_]+/gu) ?? [];
  return words.join("-").slice(0, 60).replace(/-$/, "");
}

/** The names with `-2`, `-3`… behind those that occurred before; upper and lower case are one on many systems. */
export function distinctNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let n = 2; used.has(free.toLowerCase()); n++) free = `${name}-${n}`;
    used.add(free.toLowerCase());
    return free;
  });
}
