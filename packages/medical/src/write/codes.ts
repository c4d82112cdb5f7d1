/** One item of a code sequence: PS3.3, table 8.8-1. */
export type Code = {
  readonly CodeValue: string;
  readonly CodingSchemeDesignator: string;
  readonly CodeMeaning: string;
};

/** A coded term; its meaning has at most 64 characters, as LO allows. */
export const code = (value: string, scheme: string, meaning: string): Code => ({
  CodeValue: value,
  CodingSchemeDesignator: scheme,
  CodeMeaning: meaning,
});

/** The terms of PS3.16 that images use: one place, so that the same thing has the same code in every object. */
export const codes = {
  quantity: code("246205007", "SCT", "Quantity"),
  noUnits: code("1", "UCUM", "no units"),
  artificialIntelligence: code("123110", "DCM", "Artificial Intelligence"),
  imageProcessing: code("110001", "DCM", "Image Processing"),
  segmentation: code("113076", "DCM", "Segmentation"),
  spatialConcept: code("309825002", "SCT", "Spatial and Relational Concept"),
  selectedRegion: code("111099", "DCM", "Selected region"),
  sourceImage: code("121322", "DCM", "Source image for image processing operation"),
  acquisitionEquipment: code("109101", "DCM", "Acquisition Equipment"),
  processingEquipment: code("109102", "DCM", "Processing Equipment"),
} as const;

const visualExplanation = code("130401", "DCM", "Visual explanation");
const classActivation = code("130402", "DCM", "Class activation");
const gradientWeightedClassActivation = code("130403", "DCM", "Gradient-weighted class activation");
const saliency = code("130404", "DCM", "Saliency");

/** What a map's values are, by the method that made them: PS3.16, CID 217. */
const quantityByMethod: Readonly<Record<string, Code>> = {
  cam: classActivation,
  "score-cam": classActivation,
  "ablation-cam": classActivation,
  "grad-cam": gradientWeightedClassActivation,
  "grad-cam++": gradientWeightedClassActivation,
  "hires-cam": gradientWeightedClassActivation,
  "layer-cam": gradientWeightedClassActivation,
  "xgrad-cam": gradientWeightedClassActivation,
  "seg-grad-cam": gradientWeightedClassActivation,
  "input-gradient": saliency,
  "input-x-gradient": saliency,
  "integrated-gradients": saliency,
};

/** The quantity of a method's maps; of a method that isn't listed, the term above all: visual explanation. */
export const quantityOf = (method: string): Code => quantityByMethod[method] ?? visualExplanation;
