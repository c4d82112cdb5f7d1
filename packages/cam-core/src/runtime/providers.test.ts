import { expect, test } from "vitest";
import { DeviceError, UnknownNameError } from "../errors.ts";
import { float32 } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { autoOrder, availableDevices, candidates, deviceNames, notByItself } from "./providers.ts";
import { using } from "./runtime.ts";
import { openSession } from "./session.ts";

test("auto tries what can be here, in its order, and says of all else in this build why not", () => {
  const { devices, passedOver } = candidates("auto");
  expect(devices).toEqual(autoOrder.filter((device) => devices.includes(device)));
  expect(devices.at(-1)).toBe("cpu");
  expect([...devices, ...passedOver.map(({ device }) => device)].sort()).toEqual(availableDevices().sort());
  expect(passedOver.filter(({ tried, why }) => tried || why === "")).toEqual([]);
});

test("every device is in auto's order, or has a reason why not", () => {
  for (const device of deviceNames)
    expect([autoOrder.includes(device), notByItself(device) === undefined], device).toSatisfy(([a, b]) => a === b);
});

test("a device that isn't there is an error with what it needs, a name that is none an error with the names", async () => {
  const { graph } = tinyModel({ x: ["n"] }, (op, { x }) => ({ y: op.mul(x!, 2) }));
  const missing = deviceNames.find((device) => !availableDevices().includes(device))!;
  const refused = await openSession(graph, { device: missing }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(DeviceError);
  expect((refused as DeviceError).message).toContain(`no ${missing} provider`);
  expect((refused as DeviceError).hint).toMatch(new RegExp(`^${missing} needs .*camkit doctor`));
  await expect(openSession(graph, { device: "gpu" })).rejects.toThrow(UnknownNameError);
});

test("a session under auto says what ran", async () => {
  const { graph } = tinyModel({ x: ["n"] }, (op, { x }) => ({ y: op.mul(x!, 2) }));
  await using(openSession(graph, { device: "auto" }), async (session) => {
    await session.run({ x: float32([1], [3]) });
    expect(session.ranOn()).toMatchObject({ requested: "auto", device: session.device, onCpu: [] });
    expect(Object.keys(session.ranOn().nodes ?? {})).toEqual([session.device]);
  });
});
