// CIFAKE: its lists, and what a trained detector is asked. Needs a build (`npm run build`); docs/cifake.md shows it at work.
//
//   node scripts/cifake.mjs prepare DATASET      checks the pictures, writes the lists that models/cifake/*.yaml ask for
import { writeLists } from "../packages/cam-train/dist/cifake/index.js";

const commands = {
  async prepare(folder) {
    const { duplicates, leaked } = await writeLists(folder);
    console.log(`${duplicates} groups of equal files, ${leaked} test pictures whose bytes are in training`);
  },
};

const [command, ...rest] = process.argv.slice(2);
if (!commands[command] || rest.length === 0) {
  console.error("usage: node scripts/cifake.mjs prepare DATASET");
  process.exit(2);
}
await commands[command](...rest);
