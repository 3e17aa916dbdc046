/** What can be an emoji, without what is that only with more: digits on a key, half a flag. */
const SIGN = String.raw`[\p{Emoji}--[0-9#*\p{RI}]]`;
/** A colour of skin, or the sign that something is to be drawn as an emoji. */
const LOOK = String.raw`[\ufe0f\p{EMod}]`;

/**
 * One emoji, as it comes from any keyboard (UTS #51, section 1.4.9): also with a sign
 * too many for its look or without one, and those that are newer than this browser.
 */
const EMOJI = [
  String.raw`\p{RGI_Emoji}`,
  String.raw`\p{RI}{2}`,
  String.raw`[0-9#*]\ufe0f?\u20e3`,
  String.raw`\u{1f3f4}[\u{e0020}-\u{e007e}]+\u{e007f}`,
  String.raw`${SIGN}${LOOK}*(?:\u200d${SIGN}${LOOK}*)+`,
  `${SIGN}${LOOK}+`,
  String.raw`[\p{Emoji_Presentation}--\p{RI}]`,
  // Pictures, of which some are drawn as text where nothing else is said.
  String.raw`[\p{Extended_Pictographic}&&[\u2600-\u{1faff}]]`,
].join("|");

const FEW = new RegExp(String.raw`^\s*(?:(?:${EMOJI})\s*){1,3}$`, "v");
/** No three emoji are longer: families have up to eleven signs, flags of regions fourteen. */
const LONGEST = 60;

/** Whether a text is one to three emoji and nothing else. */
export function isFewEmoji(text: string): boolean {
  return text.length <= LONGEST && FEW.test(text);
}
