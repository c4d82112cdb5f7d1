/** Why an instance wasn't stored: Failure Reason (0008,1197), PS3.18 table I.2-2 and the statuses of C-STORE, PS3.4 B.2.3. */
const failures: readonly (readonly [from: number, to: number, reason: string])[] = [
  [0xa700, 0xa7ff, "the PACS is out of resources"],
  [0xa900, 0xa9ff, "the data set doesn't match its SOP class"],
  [0xc122, 0xc122, "the PACS doesn't take this transfer syntax"],
  [0xc000, 0xcfff, "the PACS can't understand the data set"],
  [0x0110, 0x0110, "the PACS failed in processing it"],
  [0x0111, 0x0111, "the PACS has an instance of this UID already"],
  [0x0117, 0x0117, "its SOP Instance UID is illegal"],
  [0x0119, 0x0119, "its SOP Instance UID doesn't belong to its SOP class"],
  [0x0122, 0x0122, "the PACS doesn't take this SOP class"],
  [0x0124, 0x0124, "not authorised"],
  [0x0210, 0x0210, "sent twice at a time"],
  [0x0211, 0x0211, "the PACS doesn't know this operation"],
  [0x0212, 0x0212, "an argument isn't as the PACS expects it"],
  [0x0213, 0x0213, "the PACS is out of resources"],
];

/** What was stored, but not as it was sent: Warning Reason (0008,1196), PS3.18 table I.2-1. */
const warnings: Readonly<Record<number, string>> = {
  45056: "the PACS changed attributes",
  45062: "the PACS left out attributes",
  45063: "the data set doesn't match its SOP class",
};

export function failureReason(code: number): string {
  const reason = failures.find(([from, to]) => code >= from && code <= to)?.[2];
  return Number.isNaN(code) ? "refused without a reason" : `${reason ?? "refused"} (${hex(code)})`;
}

export function warningReason(code: number): string {
  return `${warnings[code] ?? "stored with a warning"} (${hex(code)})`;
}

/** It is there already, which is what was wanted. */
export function isDuplicate(code: number): boolean {
  return code === 0x0111;
}

/** As PACS logs and the standard write codes. */
const hex = (code: number) => `${code.toString(16).toUpperCase().padStart(4, "0")}H`;
