/**
 * Browsers translate a page by replacing its text nodes with `<font>` elements. React does not
 * know that: it goes on to change, move and remove the text nodes that it made, which throws or
 * has no visible effect. This maps each text node to the element that replaced it, so that all
 * of the page, libraries included, can be translated.
 */
const standIns = new WeakMap<Node, Element>();

/** To be called once, before React draws anything. */
export function tolerateTranslation(): void {
  const { removeChild, insertBefore, appendChild } = Node.prototype;

  Node.prototype.removeChild = function <T extends Node>(this: Node, child: T): T {
    const font = standInOf(child, this);
    if (font === null) return removeChild.call(this, child) as T;
    removeChild.call(this, font);
    return child;
  };

  Node.prototype.insertBefore = function <T extends Node>(
    this: Node,
    node: T,
    before: Node | null,
  ): T {
    putAway(node);
    const place = before === null ? null : (standInOf(before, this) ?? before);
    return insertBefore.call(this, node, place) as T;
  };

  Node.prototype.appendChild = function <T extends Node>(this: Node, node: T): T {
    putAway(node);
    return appendChild.call(this, node) as T;
  };

  const observer = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "characterData") putBack(change.target);
      else noteStandIns(change, observer);
    }
  });
  observer.observe(document.documentElement, { childList: true, subtree: true });
}

/** The element that replaces a node in `parent`; `null` if there is none. */
function standInOf(node: Node, parent: Node): Element | null {
  if (node.parentNode !== null) return null;
  const font = standIns.get(node);
  return font?.parentNode === parent ? font : null;
}

/** Shows a text that React has changed; the browser translates it again. */
function putBack(text: Node): void {
  const font = standIns.get(text);
  if (text.parentNode === null && font?.parentNode) font.replaceWith(text);
}

/** Removes the translation of a text that React moves. */
function putAway(text: Node): void {
  if (text.nodeType === Node.TEXT_NODE && text.parentNode === null) standIns.get(text)?.remove();
}

/** Remembers which element replaced which text. */
function noteStandIns(change: MutationRecord, observer: MutationObserver): void {
  for (const text of change.removedNodes) {
    if (text.nodeType !== Node.TEXT_NODE || text.parentNode !== null) continue;
    const near = [...change.addedNodes, change.previousSibling, change.nextSibling];
    const font = near.find(isFree);
    if (font === undefined) continue;
    standIns.set(text, font);
    taken.add(font);
    observer.observe(text, { characterData: true });
  }
}

/** Elements that are known to replace a text. */
const taken = new WeakSet<Node>();

function isFree(node: Node | null): node is HTMLElement {
  return node instanceof HTMLElement && node.tagName === "FONT" && !taken.has(node);
}
