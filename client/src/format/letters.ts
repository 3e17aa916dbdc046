/**
 * Scripts whose words stand alone: no particle is written onto them, in front or behind, as in
 * Korean, Hebrew or Arabic, and spaces separate them, unlike those of Chinese or Thai. A source
 * for character classes of regular expressions with the flag `v`.
 */
const ALONE = String.raw`\p{scx=Latn}\p{scx=Grek}\p{scx=Cyrl}\p{scx=Armn}`;

/** An accent or the like that is no script's own, and no sign that makes an emoji of something. */
const ACCENT = String.raw`[\p{sc=Zinh}&&\p{scx=Zinh}&&\p{M}]--[\u{FE00}-\u{FE0F}\u{20E3}\u{E0100}-\u{E01EF}]`;

/** A letter or a digit of such a word. */
export const LETTER = String.raw`[[[\p{L}\p{M}]&&[${ALONE}]][${ACCENT}]\p{N}]`;

/** A letter of any other script. */
export const ATTACHED = String.raw`[[\p{L}\p{M}]--${LETTER}]`;
