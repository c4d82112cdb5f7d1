import { defineRules, zero } from "../rule.ts";

/** Text, files, bits and counts: operators that compute no real number from another. */
export const noGradient = defineRules({
  StringConcat: zero("text"),
  StringNormalizer: zero("text"),
  StringSplit: zero("text"),
  RegexFullMatch: zero("text"),
  TfIdfVectorizer: zero("it counts words"),
  ImageDecoder: zero("its input is the bytes of a file"),
  SequenceLength: zero("how many tensors a sequence holds"),
  OptionalHasElement: zero("whether there is a value"),
  BitCast: zero("the same bits, read as another type"),
});
