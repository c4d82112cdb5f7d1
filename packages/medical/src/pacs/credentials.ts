import { PacsError } from "../errors.ts";

/**
 * The value of an Authorization header from the environment, so that no secret stands on a command line: CAMKIT_DICOMWEB_TOKEN
 * (bearer), or CAMKIT_DICOMWEB_USER and CAMKIT_DICOMWEB_PASSWORD (basic). Undefined without them.
 * Throws PacsError on what no header can carry; the value itself is never shown.
 */
export function authorizationFrom(environment: NodeJS.ProcessEnv): string | undefined {
  const token = environment.CAMKIT_DICOMWEB_TOKEN?.trim();
  const user = environment.CAMKIT_DICOMWEB_USER;
  if (token) return checkedHeader("CAMKIT_DICOMWEB_TOKEN", `Bearer ${token}`);
  if (!user) return undefined;
  const pair = `${user}:${environment.CAMKIT_DICOMWEB_PASSWORD ?? ""}`;
  return `Basic ${Buffer.from(pair, "utf8").toString("base64")}`; // RFC 7617, 2.1: UTF-8
}

/** `text` if a header can carry it. Node's own message would show it. */
export function checkedHeader(name: string, text: string): string {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) return text;
  throw new PacsError(name, "a character in it can't be sent in a header", {
    hint: "Is it on one line, in Latin letters?",
  });
}
