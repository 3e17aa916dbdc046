const FEW = /^\s*(?:\p{RGI_Emoji}\s*){1,3}$/v;
/** No three emoji are longer: families have up to eleven signs, flags of regions fourteen. */
const LONGEST = 60;

/** Whether a text is one to three emoji and nothing else. */
export function isFewEmoji(text: string): boolean {
  return text.length <= LONGEST && FEW.test(text);
}
