import { defineCommand, positional } from "../command.ts";
import { dicomwebOption, headerOption, seriesOption, studyOption } from "../ct/options.ts";
import { seriesDocument, seriesText } from "../ct/series-list.ts";
import { openSource } from "../ct/study.ts";

export default defineCommand({
  summary: "List the series in files or a study, and what is set aside.",
  description: "Says of each series how it lies in space, or why it can't be processed, and which one would be chosen.",
  parameters: {
    inputs: positional.any("INPUT", "folders, files, zips, @lists of paths"),
    dicomweb: dicomwebOption,
    study: studyOption,
    series: seriesOption,
    header: headerOption,
  },
  examples: ["camkit ct series scans/", "camkit ct series export.zip --json"],
  run: async (request, io) => {
    const document = seriesDocument(await openSource(request, io));
    return { document, text: () => seriesText(document) };
  },
});
