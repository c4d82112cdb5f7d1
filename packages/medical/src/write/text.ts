/** Text as value representations take it: PS3.5, 6.2. */

/**
 * Without control characters and without the backslash, which would part values, and cut to so many bytes of UTF-8. The standard
 * counts characters; validators and databases count bytes, and what is cut here only describes.
 */
export function text(value: string, mostBytes: number): string {
  const whole = plain(value);
  if (bytesOf(whole) <= mostBytes) return whole;
  let cut = "";
  for (const character of whole) {
    if (bytesOf(cut + character) > mostBytes - 3) break;
    cut += character;
  }
  return `${cut}...`;
}

const plain = (value: string): string =>
  value
    .replace(/[\p{Cc}\\]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
const bytesOf = (value: string): number => Buffer.byteLength(value);

/** LO: 64 bytes. */
export const longString = (value: string): string => text(value, 64);
/** SH: 16 bytes. */
export const shortString = (value: string): string => text(value, 16);
/** ST: 1024 bytes. */
export const shortText = (value: string): string => text(value, 1024);
/** LT: 10,240 bytes. */
export const longText = (value: string): string => text(value, 10_240);

const digits = (value: number, count = 2) => String(value).padStart(count, "0");

/** DA in local time, as the rest of a study's dates are. */
export const dateOf = (time: Date): string =>
  `${digits(time.getFullYear(), 4)}${digits(time.getMonth() + 1)}${digits(time.getDate())}`;

/** TM in local time. */
export const timeOf = (time: Date): string =>
  `${digits(time.getHours())}${digits(time.getMinutes())}${digits(time.getSeconds())}`;

/** DT: date and time with the zone's offset. */
export function dateTimeOf(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${digits(Math.floor(Math.abs(offset) / 60))}${digits(Math.abs(offset) % 60)}`;
  return `${dateOf(time)}${timeOf(time)}${zone}`;
}

type Legality = (value: string) => string | undefined;
const matching =
  (pattern: RegExp): Legality =>
  (value) =>
    pattern.test(value) ? value : undefined;
const codeString = matching(/^[A-Z0-9 _]{1,16}$/);
const decimalString = matching(/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/);

/** What a source's value becomes in a result: itself where it is legal, cut where it is too long, nothing where it is neither. */
export const legal = {
  DA: matching(/^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/),
  TM: matching(/^([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$/),
  AS: matching(/^\d{3}[DWMY]$/),
  CS: codeString,
  /** (0010,0040) has but three values. */
  sex: matching(/^[MFO]$/),
  DS: (value) => (value.length <= 16 ? decimalString(value) : undefined),
  LO: (value) => longString(value) || undefined,
  SH: (value) => shortString(value) || undefined,
  /** Up to three groups, parted by "=", of 64 characters: a name is never cut for its bytes. */
  PN: (value) =>
    value
      .split("=", 3)
      .map((group) => [...plain(group)].slice(0, 64).join(""))
      .join("=") || undefined,
  UI: (value) => value,
} as const satisfies Record<string, Legality>;
