import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type Device, deviceAbsence, deviceNames, deviceNeeds } from "@camkit/cam-core";

export type DeviceTrial = {
  readonly name: Device;
  readonly available: boolean;
  /** Of a device that isn't available: what it takes, and what opening it said. */
  readonly needs?: string;
  readonly reason?: string;
};

/**
 * Opens `model` on every device. A provider that is built in may still lack its driver or its libraries, so only trying
 * tells; each is tried in a process of its own, which keeps the native libraries' own words off this one's stderr.
 */
export async function tryDevices(model: string | undefined): Promise<readonly DeviceTrial[]> {
  return Promise.all(
    deviceNames.map(async (name): Promise<DeviceTrial> => {
      const needs = deviceNeeds(name);
      const absent = deviceAbsence(name);
      if (absent !== undefined) return { name, available: false, needs, reason: absent };
      const reason = model === undefined ? "no model to try it with" : await failure(name, model);
      return reason === undefined ? { name, available: true } : { name, available: false, needs, reason };
    }),
  );
}

/** Why a session can't be opened; undefined when it can. */
function failure(device: Device, model: string): Promise<string | undefined> {
  const engine = pathToFileURL(createRequire(import.meta.url).resolve("@camkit/cam-core")).href;
  const program = `import { openBytes } from ${JSON.stringify(engine)};
const [, model, device] = process.argv;
try { await (await openBytes(model, { device })).close(); }
catch (error) { console.log(error.message); process.exitCode = 1; }`;
  const args = ["--input-type=module", "-e", program, model, device];
  return new Promise((resolve) =>
    execFile(process.execPath, args, { timeout: 30_000 }, (error, stdout) =>
      resolve(error === null ? undefined : stdout.split("\n")[0] || error.message.split("\n")[0] || "failed"),
    ),
  );
}
