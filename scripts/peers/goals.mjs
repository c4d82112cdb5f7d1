// What is measured and what it should come to. Two threads, batch 1.

/** Times faster than PyTorch cut by hand at the layer, at least. */
export const goals = {
  resnet50: { byHand: 1.8 },
  mobilenet_v2: { byHand: 3 },
  efficientnet_b0: { byHand: 3 },
  vit_b_16: { byHand: 2.3 },
  swin_t: { byHand: 1 },
};

/** Largest difference between camkit's finished map (0..1) and the one made by hand in PyTorch. */
export const mapTolerance = 1e-3;

/** `camkit bench` runs: `goal` is the most a run may cost in forward passes, `opening` the same for opening and preparing. */
export const benchCases = [
  { network: "resnet50", method: "grad-cam", goal: 1.1, opening: 1.5 },
  { network: "mobilenet_v2", method: "grad-cam", goal: 1.1 },
  { network: "efficientnet_b0", method: "grad-cam", goal: 1.1 },
  { network: "vit_b_16", method: "grad-cam", goal: 1.1 },
  { network: "swin_t", method: "grad-cam", goal: 1.1 },
  { network: "resnet50", method: "grad-cam", layer: "/layer2/layer2.3/relu_2/Relu_output_0", goal: 1.9 },
  { network: "resnet50", method: "gradient", goal: 3 },
  { network: "resnet50", method: "input-gradient", goal: 3 },
  { network: "mobilenet_v2", method: "gradient", goal: 3.5 },
  { network: "mobilenet_v2", method: "input-gradient", goal: 3.5 },
];
