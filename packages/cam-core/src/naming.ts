import { CamError } from "./errors.ts";

/** Runs a rule on a node that no check foresaw: what it throws gets the node's name, errors of ours pass as they are. */
export function naming<T>(use: () => T, name: (cause: Error) => CamError): T {
  try {
    return use();
  } catch (cause) {
    throw cause instanceof CamError ? cause : name(cause as Error);
  }
}
