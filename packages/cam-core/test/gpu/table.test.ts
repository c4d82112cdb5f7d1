import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { providerFaults } from "../../src/runtime/provider-faults.ts";
import { autoOrder, deviceNames, notByItself } from "../../src/runtime/providers.ts";

const page = readFileSync(fileURLToPath(new URL("../../../../docs/gpu.md", import.meta.url)), "utf8");

test("docs/gpu.md has the faults' table, row by row, and no other row", () => {
  const rows = providerFaults.map(
    ({ device, operators, what, happens, seenIn }) =>
      `| ${device} | ${operators.join(", ")} | ${what} | ${happens} | ${seenIn} |`,
  );
  const section = page.slice(page.indexOf("## What a provider claims"), page.indexOf("## Measured"));
  expect(section.split("\n").filter((line) => line.startsWith("| webgpu"))).toEqual(rows);
});

test("docs/gpu.md has auto's order, and why it leaves the others aside", () => {
  expect(page).toContain(`\`auto\` is ${autoOrder.map((name) => `\`${name}\``).join(", else ")}.`);
  for (const device of deviceNames) {
    const why = notByItself(device);
    if (why !== undefined) expect(page).toContain(`| \`${device}\` | ${why} |`);
  }
});
